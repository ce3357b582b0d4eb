"""Engraving: what a score's notes look like on staves. `notation` in the room above is the door."""
