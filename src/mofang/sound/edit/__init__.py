"""What can be done to a recording, one verb a file; every verb takes and gives `source.Sound`."""
