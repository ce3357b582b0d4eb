"""What the reader knows: the glyph index (built from emojibase) and the hand-written bilingual lexicon."""
