"""Headers of weight files, read with suspicion: every length is held against the file before it is believed."""
