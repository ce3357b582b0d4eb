"""How good generated pictures are, and how much of them stands in the training set. NumPy only."""
