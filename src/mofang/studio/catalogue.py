"""The studio's card index: one SQLite file, safe against kills and shared between processes."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mofang.studio.errors import UserError

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE assets (
    id     TEXT PRIMARY KEY,     -- SHA-256 of the content, hex
    kind   TEXT NOT NULL,        -- text, image, audio, video, storyboard
    suffix TEXT NOT NULL,        -- .png, .wav, …
    size   INTEGER NOT NULL,     -- bytes
    made   TEXT NOT NULL         -- UTC, ISO 8601
) STRICT;
CREATE TABLE makings (
    key     TEXT PRIMARY KEY,    -- Recipe.key
    asset   TEXT NOT NULL REFERENCES assets(id),
    recipe  TEXT NOT NULL,       -- Recipe as JSON
    credits TEXT NOT NULL,       -- list of Credit as JSON
    facts   TEXT NOT NULL,       -- what the engine measured while making it, as JSON
    made    TEXT NOT NULL
) STRICT;
CREATE INDEX makings_by_asset ON makings(asset);
CREATE TABLE pieces (
    id     INTEGER PRIMARY KEY,
    title  TEXT NOT NULL,
    kind   TEXT NOT NULL,        -- film, …
    folder TEXT NOT NULL UNIQUE, -- where it was published
    assets TEXT NOT NULL,        -- ids of the assets in it, as JSON
    made   TEXT NOT NULL
) STRICT;
CREATE TABLE works (
    id      TEXT PRIMARY KEY,    -- SHA-256 of the file
    path    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    size    INTEGER NOT NULL,
    licence TEXT NOT NULL,
    author  TEXT NOT NULL,
    consent TEXT NOT NULL,       -- consent record as JSON
    added   TEXT NOT NULL
) STRICT;
"""

SIGNS = {
    "disk is full": "free some space and run it again",
    "locked": "it is busy in another program; wait for that and run this again",
    "malformed": "it is damaged: put back a backup, or move it away to start a new catalogue; the assets stay",
    "not a database": "it is damaged: put back a backup, or move it away to start a new catalogue; the assets stay",
    "unable to open": "check that the folder can be written",
    "readonly": "check that the folder can be written",
    "I/O error": "check the disk",
}
"""What SQLite says when the user can mend it, and how."""


class Catalogue:
    """A connection to `studio.db`. Commits reach the disk before they return (WAL, `synchronous=FULL`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._translated():
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._create()

    def _create(self) -> None:
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                # Not executescript: that would commit the transaction two processes creating one studio wait for.
                for statement in SCHEMA.split(";"):
                    if statement.strip():
                        self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            elif version > SCHEMA_VERSION:
                raise UserError(f"{self.path} was written by a newer Mofang; update with: pip install -U mofang")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors that a user can do something about, as `UserError`."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            reason = str(error)
            for sign, advice in SIGNS.items():
                if sign in reason:
                    raise UserError(f"{self.path}: {reason}; {advice}") from error
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the statements inside, or none."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, statement: str, *values: str | int | float | None) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        with self._lock, self._translated():
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
