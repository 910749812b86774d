"""When the requests of each caller came that still count: in the memory of one process, or in a file that several share.

Left out: what the rates are, and what a caller is told (rates).
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict, defaultdict, deque
from pathlib import Path
from threading import Lock
from typing import Protocol

import structlog

_PATIENCE_S = 0.25
"""Seconds to wait for the other processes, each of which needs a fraction of a millisecond."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS came (kind TEXT NOT NULL, who TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS of_caller ON came (kind, who, at);
CREATE INDEX IF NOT EXISTS in_time ON came (kind, at);
"""

log = structlog.get_logger("eunato_rag.http")


class Windows(Protocol):
    """Moving windows, one per kind of request and caller."""

    def count(self, kind: str, who: str, most: int, seconds: float, now: float) -> tuple[bool, float, int]:
        """Count a request at `now`, if fewer than `most` came in the `seconds` before.

        Returns whether it was counted, when the oldest came that now counts, and how many count.
        """


class WindowsInMemory:
    """Windows of one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._came: dict[str, OrderedDict[str, deque[float]]] = defaultdict(OrderedDict)
        """Who asked last is last."""

    def count(self, kind: str, who: str, most: int, seconds: float, now: float) -> tuple[bool, float, int]:
        with self._lock:
            callers = self._came[kind]
            while callers and next(iter(callers.values()))[-1] <= now - seconds:
                callers.popitem(last=False)
            came = callers.setdefault(who, deque())
            while came and came[0] <= now - seconds:
                came.popleft()
            allowed = len(came) < most
            if allowed:
                came.append(now)
                callers.move_to_end(who)
            return allowed, came[0], len(came)


class SharedWindows:
    """Windows of all processes that open the same file, which is to lie in memory. Safe to share between threads.

    A request that cannot be counted, as the file cannot be written, is let through, and the log says so: a full disk is no
    reason to refuse everybody.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")  # whole whenever one of the processes is killed
        self._db.execute("PRAGMA synchronous=OFF")  # nothing of it outlives the machine
        self._db.executescript(_SCHEMA)

    def count(self, kind: str, who: str, most: int, seconds: float, now: float) -> tuple[bool, float, int]:
        try:
            with self._lock, self._db:
                self._db.execute("BEGIN IMMEDIATE")
                return self._counted(kind, who, most, now - seconds, now)
        except sqlite3.Error as error:
            log.warning("a request could not be counted", error=str(error))
            return True, now, 1

    def _counted(self, kind: str, who: str, most: int, since: float, now: float) -> tuple[bool, float, int]:
        self._db.execute("DELETE FROM came WHERE kind = ? AND at <= ?", (kind, since))
        count, oldest = self._db.execute("SELECT COUNT(*), MIN(at) FROM came WHERE kind = ? AND who = ?", (kind, who)).fetchone()
        if count >= most:
            return False, oldest, count
        self._db.execute("INSERT INTO came VALUES (?, ?, ?)", (kind, who, now))
        return True, now if oldest is None else min(oldest, now), count + 1
