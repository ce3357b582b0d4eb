"""The networks of pictures, each beside its paper."""
