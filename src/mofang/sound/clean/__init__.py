"""Recordings cleaned up: clicks, clipping, hum, noise, silence at the ends, loudness; one fault a file."""
