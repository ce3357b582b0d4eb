"""A script with several speakers, performed: cues read, voices cast, feelings turned into delivery, lines mixed in a room."""
