"""The creator's library on disk, and the small types every room of the house shares."""
