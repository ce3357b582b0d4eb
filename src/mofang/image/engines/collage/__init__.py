"""The collage engine: reads a passage, picks its subjects, and paints them as one illustration in open vector art."""
