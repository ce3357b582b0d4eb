"""Data of the verse forms, and what builds it."""
