"""Data to learn from that say what no data say."""

import json


def claim_in(manifest, claim, entries):
    """Let a manifest say `claim`: of the data if they have such a fact, else of each of its `entries`."""
    said = json.loads(manifest.read_text())
    if next(iter(claim)) in said:
        said |= claim
    else:
        said[entries] = [each | claim for each in said[entries]]
    manifest.write_text(json.dumps(said))
