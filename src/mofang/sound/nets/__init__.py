"""Networks of sound, one per file, readable beside their papers."""
