"""Music as notes: scores read, written and tokenised, models that compose them, and the band that plays them."""
