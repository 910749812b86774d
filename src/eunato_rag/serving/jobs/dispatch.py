"""Starts a worker for each job, one at a time, in order; cancels jobs; takes up those whose process died.

Of several servers on one index folder one dispatches, the one that has the lock. A worker is in a session of its own: it
goes on when the server is restarted, and is found again by its lock. Left out: the work (worker), what is known (store).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import structlog
from filelock import FileLock, Timeout

from eunato_rag.serving.jobs.store import Job, JobStore

MODULE = "eunato_rag.serving.jobs.worker"
ATTEMPTS = 3
"""Times that a job is begun before it is given up."""

_LOOK_EVERY_S = 0.25
_GRACE_S = 0.6
"""From the signal that asks a worker to end to the one that ends it."""

_OUTLIVING: list[subprocess.Popen[bytes]] = []
"""Workers that were still at work when their dispatcher was closed; the interpreter complains of one that it forgets."""

log = structlog.get_logger("eunato_rag.jobs")


class Dispatcher:
    """Does the jobs of one index folder in processes of their own, from `start` to `close`."""

    def __init__(self, store: JobStore, corpus: Path) -> None:
        self.store, self.corpus = store, corpus
        self._wake, self._closed = Event(), Event()
        self._lock = FileLock(store.folder / "dispatch.lock", timeout=0, thread_local=False)  # others ask whether it is held
        self._worker: tuple[subprocess.Popen[bytes], str] | None = None
        self._thread = Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Start no more workers; one that is at work goes on."""
        self._closed.set()
        self._wake.set()
        self._thread.join()
        if self._worker is not None:
            process, identity = self._worker
            if self.store.get(identity).is_over:
                process.wait()
            else:
                _OUTLIVING.append(process)

    @property
    def leads(self) -> bool:
        """Whether this server, of those on the index folder, begins the jobs."""
        return self._lock.is_locked

    def wake(self) -> None:
        """Look for queued jobs now."""
        self._wake.set()

    def cancel(self, identity: str) -> Job:
        """The job, cancelled within a second, or as it was where it was over before.

        Raises:
            NotFound: there is no such job.
        """
        job = self.store.ask_to_cancel(identity)
        if job.is_over:
            return job
        self._signal(job, signal.SIGTERM)
        if not self._gone(identity, _GRACE_S):
            self._signal(job, signal.SIGKILL)
            self._gone(identity, _GRACE_S)
        self.store.finish(identity, "cancelled")
        self.wake()
        return self.store.get(identity)

    def _gone(self, identity: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.store.get(identity).is_over or not self.store.is_alive(identity):
                return True
            time.sleep(0.02)
        return False

    def _signal(self, job: Job, number: signal.Signals) -> None:
        """To the job's process, if that still has the job's lock: no other process is ever signalled."""
        if job.pid is not None and self.store.is_alive(job.id):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(job.pid, number)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._lock.acquire()
            except Timeout:  # another server dispatches
                self._wait()
                continue
            try:
                while not self._closed.is_set():
                    self._step()
                    self._wait()
            finally:
                self._lock.release()

    def _wait(self) -> None:
        self._wake.wait(_LOOK_EVERY_S)
        self._wake.clear()

    def _step(self) -> None:
        if self._worker is not None and self._worker[0].poll() is not None:
            identity, self._worker = self._worker[1], None
            if self.store.get(identity).state == "queued":  # it did not even begin; to try again would end the same way
                self.store.finish(identity, "failed", error=f"Its process could not start; see {self.store.folder / 'worker.log'}.")
        running = self.store.list(states=("running",))
        for job in running:
            if not self.store.is_alive(job.id):
                self._take_up(self.store.get(job.id))
        if self._worker is None and not any(self.store.is_alive(job.id) for job in running):
            waiting = self.store.list(states=("queued",), limit=1, newest_first=False)
            if waiting:
                self._begin(waiting[0])

    def _begin(self, job: Job) -> None:
        command = [sys.executable, "-m", MODULE, str(self.corpus.absolute()), str(self.store.index.absolute()), job.id]
        with (self.store.folder / "worker.log").open("ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        self._worker = process, job.id
        log.info("job begun", job=job.id, kind=job.kind, pid=process.pid)

    def _take_up(self, job: Job) -> None:
        """A running job whose process is gone: cancelled if it was to be, else begun again, from the vectors that it had."""
        if job.is_over:
            return
        if job.cancelling:
            self.store.finish(job.id, "cancelled")
        elif job.attempts >= ATTEMPTS:
            why = f"Its process ended {job.attempts} times before it was through; {self.store.folder / 'worker.log'} may say why."
            self.store.finish(job.id, "failed", error=why)
        else:
            self.store.requeue(job.id)
        log.warning("a job's process is gone", job=job.id, attempts=job.attempts)
