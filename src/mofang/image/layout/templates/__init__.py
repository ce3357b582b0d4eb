"""Templates as data: one page design a file."""
