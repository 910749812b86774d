"""What is known of each job, in one SQLite file beside the snapshots; written by servers, workers and commands alike.

A job's process holds a lock of the operating system while it lives, so that whether it lives needs no clock and no pid.
Left out: starting and stopping processes (dispatch), and the work itself (worker).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from eunato_rag.errors import EunatoRagError, IndexStoreError, JobConflict, NotFound

Kind = Literal["reindex", "add", "remove"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FOLDER, FILE = "jobs", "jobs.sqlite"
FINAL: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})
KEPT = 1_000
"""Finished jobs that are remembered."""

_LOOKED_AT_S = 2.0
"""A lock that is only looked at is free again long before."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, request TEXT NOT NULL, key TEXT UNIQUE,
    state TEXT NOT NULL, stage TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, attempts INTEGER NOT NULL, pid INTEGER,
    cancelling INTEGER NOT NULL, created TEXT NOT NULL, started TEXT, finished TEXT, report TEXT, snapshot TEXT, error TEXT
)
"""
_FIELDS = "id, kind, request, state, stage, done, total, attempts, pid, cancelling, created, started, finished, report, snapshot, error"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands: what was asked, how far it is, what came of it. Times are UTC, ISO 8601."""

    id: str
    kind: Kind
    request: Mapping[str, Any]
    state: State
    stage: str
    done: int
    total: int
    attempts: int
    pid: int | None
    cancelling: bool
    created: str
    started: str | None
    finished: str | None
    report: Mapping[str, Any] | None
    snapshot: str | None
    error: str | None

    @property
    def is_over(self) -> bool:
        return self.state in FINAL


class JobStore:
    """The jobs of one index folder. Safe to share between threads and processes."""

    def __init__(self, index: Path) -> None:
        self.index, self.folder = index, index / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(_SCHEMA)

    def add(self, kind: Kind, request: Mapping[str, Any], key: str | None = None) -> tuple[Job, bool]:
        """A new job, queued, and True; or the job that the same key made before, and False.

        Raises:
            JobConflict: the key made a job that asked for something else.
        """
        asked = json.dumps(request, sort_keys=True)
        identity = _new_id()
        named = hashlib.sha256(key.encode()).hexdigest() if key else None
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            found = db.execute(f"SELECT {_FIELDS} FROM jobs WHERE key = ?", (named,)).fetchone() if named else None
            if found is None:
                _insert(db, identity, kind, asked, named)
        if found is None:
            return self.get(identity), True
        job = _job(found)
        if (job.kind, json.dumps(job.request, sort_keys=True)) != (kind, asked):
            raise JobConflict(f"This Idempotency-Key made job {job.id}, which asks for something else. Use a new key for a new request.")
        return job, False

    def get(self, identity: str) -> Job:
        """The job of that id.

        Raises:
            NotFound: there is none.
        """
        with self._open() as db:
            row = db.execute(f"SELECT {_FIELDS} FROM jobs WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise NotFound(f"There is no job {identity!r}. See: GET /v1/jobs")
        return _job(row)

    def list(self, *, limit: int = 50, states: tuple[State, ...] = get_args(State), newest_first: bool = True) -> list[Job]:
        order = "DESC" if newest_first else "ASC"
        marks = ", ".join("?" * len(states))
        with self._open() as db:
            rows = db.execute(f"SELECT {_FIELDS} FROM jobs WHERE state IN ({marks}) ORDER BY number {order} LIMIT ?", (*states, limit))
            return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state that any is in."""
        with self._open() as db:
            return dict(db.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state").fetchall())

    @contextmanager
    def doing(self, kind: Kind, request: Mapping[str, Any]) -> Iterator[Job]:
        """A new job that this process does itself, now; a fault inside, or an interruption, is written down and goes on up."""
        identity = _new_id()
        with self._living(identity):  # before anybody can see the job, so that nobody takes it for abandoned
            with self._open() as db:
                _insert(db, identity, kind, json.dumps(request, sort_keys=True), None)
                _start(db, identity)
            with self._recorded(identity):
                yield self.get(identity)

    @contextmanager
    def taking(self, identity: str) -> Iterator[Job]:
        """A queued job that this process does, as for `doing`.

        Raises:
            JobConflict: it is not queued, or another process does it.
        """
        with self._living(identity):
            with self._open() as db:
                if not _start(db, identity):
                    raise JobConflict(f"Job {identity} does not wait to be done.")
            with self._recorded(identity):
                yield self.get(identity)

    @contextmanager
    def _recorded(self, identity: str) -> Iterator[None]:
        try:
            yield
        except EunatoRagError as error:
            self.finish(identity, "failed", error=str(error))
            raise
        except Exception as error:
            self.finish(identity, "failed", error=f"Something failed inside the service: {type(error).__name__}.")
            raise
        except BaseException:  # a signal, or Ctrl+C
            self.finish(identity, "cancelled")
            raise

    def advance(self, identity: str, stage: str, done: int, total: int) -> None:
        self._change("UPDATE jobs SET stage = ?, done = ?, total = ? WHERE id = ? AND state = 'running'", stage, done, total, identity)

    def finish(
        self, identity: str, state: State, *, report: Mapping[str, Any] | None = None, snapshot: str | None = None, error: str | None = None
    ) -> bool:
        """Whether the job was not over and now is, in that state."""
        told = json.dumps(report, ensure_ascii=False) if report is not None else None
        return self._change(
            "UPDATE jobs SET state = ?, finished = ?, report = ?, snapshot = ?, error = ?, pid = NULL"
            " WHERE id = ? AND state IN ('queued', 'running')",
            *(state, _now(), told, snapshot, error, identity),
        )

    def ask_to_cancel(self, identity: str) -> Job:
        """The job, marked; a queued one is cancelled at once.

        Raises:
            NotFound: there is no such job.
        """
        self._change("UPDATE jobs SET cancelling = 1 WHERE id = ? AND state IN ('queued', 'running')", identity)
        if self.get(identity).state == "queued":
            self.finish(identity, "cancelled")
        return self.get(identity)

    def requeue(self, identity: str) -> bool:
        """Whether a running job, whose process is gone, waits again."""
        return self._change("UPDATE jobs SET state = 'queued', pid = NULL WHERE id = ? AND state = 'running'", identity)

    @contextmanager
    def _living(self, identity: str) -> Iterator[None]:
        lock = self._lock(identity)
        try:
            lock.acquire(timeout=_LOOKED_AT_S)
        except Timeout as error:
            raise JobConflict(f"Another process does job {identity}.") from error
        try:
            yield
        finally:
            lock.release()
            Path(lock.lock_file).unlink(missing_ok=True)

    def is_alive(self, identity: str) -> bool:
        """Whether some process does the job."""
        lock = self._lock(identity)
        if not Path(lock.lock_file).exists():
            return False
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return False

    def _lock(self, identity: str) -> FileLock:
        return FileLock(self.folder / f"{identity}.lock", timeout=0)

    def _change(self, statement: str, *values: object) -> bool:
        with self._open() as db:
            return db.execute(statement, values).rowcount == 1

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / FILE
        try:
            with closing(sqlite3.connect(path, timeout=10)) as db, db:
                yield db
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(
                f"The list of jobs {path} cannot be used: {error}. Delete it; only the history of jobs is lost."
            ) from error


def _insert(db: sqlite3.Connection, identity: str, kind: Kind, request: str, key: str | None) -> None:
    db.execute(
        "INSERT INTO jobs (id, kind, request, key, state, stage, done, total, attempts, cancelling, created)"
        " VALUES (?, ?, ?, ?, 'queued', '', 0, 0, 0, 0, ?)",
        (identity, kind, request, key, _now()),
    )
    db.execute("DELETE FROM jobs WHERE finished IS NOT NULL AND number <= (SELECT MAX(number) FROM jobs) - ?", (KEPT,))


def _start(db: sqlite3.Connection, identity: str) -> bool:
    """Whether the job was queued and is now this process's."""
    statement = "UPDATE jobs SET state = 'running', pid = ?, started = ?, attempts = attempts + 1 WHERE id = ? AND state = 'queued'"
    return db.execute(statement, (os.getpid(), _now(), identity)).rowcount == 1


def _new_id() -> str:
    return uuid.uuid4().hex[:16]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _job(row: tuple[Any, ...]) -> Job:
    fields = dict(zip(_FIELDS.split(", "), row, strict=True))
    fields["request"] = json.loads(fields["request"])
    fields["report"] = json.loads(fields["report"]) if fields["report"] else None
    fields["cancelling"] = bool(fields["cancelling"])
    return Job(**fields)
