"""Forms of verse: what they ask, whether a text has them, and constraints that make a model keep them."""
