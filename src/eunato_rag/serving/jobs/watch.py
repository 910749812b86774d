"""Re-indexes by itself: a job whenever the corpus folder has changed and then stayed as it is.

What a job did itself, by an upload or a removal, is no change: the served snapshot is of these very files. Left out: how
a change is seen (sources), and the work (worker).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from datetime import datetime
from threading import Event, Thread

import structlog

from eunato_rag.errors import IndexStoreError, NotFound
from eunato_rag.indexing.snapshot import current_id, read_manifest, sources_of
from eunato_rag.ingestion.sources import changes
from eunato_rag.serving.jobs.dispatch import Dispatcher

_LOOK_EVERY_S = 0.5

log = structlog.get_logger("eunato_rag.jobs")


class Watcher:
    """Watches the corpus of a dispatcher from `start` to `close`; of several servers on one index, the one that leads.

    The first look is at every file, so that what changed while no server ran is found.
    """

    def __init__(self, dispatcher: Dispatcher, *, quiet: float = 2.0) -> None:
        self._dispatcher, self._quiet = dispatcher, quiet
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        store, corpus = self._dispatcher.store, self._dispatcher.corpus
        while not self._dispatcher.leads:
            if self._stopped.wait(_LOOK_EVERY_S):
                return
        for look, changed in enumerate(changes(corpus, {}, quiet=self._quiet, every=_LOOK_EVERY_S, stopped=self._stopped)):
            while store.list(states=("queued", "running"), limit=1) and not self._stopped.wait(_LOOK_EVERY_S):
                pass
            if not self._stopped.is_set() and self._differ(changed, seen=look > 0):
                log.info("the corpus has changed", files=len(changed))
                store.add("reindex", {"full": False}, None)
                self._dispatcher.wake()

    def _differ(self, sources: Collection[str], *, seen: bool) -> bool:
        """Whether some of these files of the corpus are not those that the served snapshot was made of.

        One that it was not made of, for it cannot be read or describes others, counts where it came after the snapshot: where
        that was `seen`, or its time says so, or the clock was set back and no time tells.
        """
        try:
            index = self._dispatcher.store.index
            manifest = read_manifest(index, current_id(index), verify=False)
            built = sources_of(index, manifest.id)
        except (IndexStoreError, NotFound):
            return True
        created = datetime.fromisoformat(manifest.created).timestamp()
        came_later = seen or created > time.time()
        for source in sources:
            path = self._dispatcher.corpus / source
            try:
                if not path.is_file():
                    differs = source in built
                elif source in built:
                    differs = hashlib.sha256(path.read_bytes()).hexdigest() != built[source].sha256
                else:
                    differs = came_later or path.stat().st_ctime > created
            except OSError:
                differs = True
            if differs:
                return True
        return False
