"""What the craft of pictures adds to the one training loop: a file for each kind of model."""
