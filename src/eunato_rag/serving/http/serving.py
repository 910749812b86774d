"""How one service is run: what an application is told besides its index, its model and its writer. Made from settings (assembly)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from eunato_rag.indexing.history import KEPT
from eunato_rag.serving.http.access import Access
from eunato_rag.serving.http.limits import Work
from eunato_rag.serving.http.rates import Rates


@dataclass(frozen=True, slots=True)
class Serving:
    """As it stands, a service for tests and for whoever sits at the machine: no keys, no rates, any host.

    `public_url` is the service's own address in links that are absolute; without it, that of each request. With a corpus
    folder, jobs can be started: to re-index it, to put documents in and take them out. `hosts` are the names to be asked
    for by, None for any; `origins` those of other sites whose pages may call. With `watch`, a job is begun when the corpus
    has changed; `keep` snapshots are left where nobody says how many. `process` is its number where several serve.
    """

    public_url: str | None = None
    corpus: Path | None = None
    access: Access = field(default_factory=Access)
    rates: Rates | None = None
    hosts: frozenset[str] | None = None
    origins: Collection[str] = ()
    work: Work = field(default_factory=Work)
    watch: bool = False
    keep: int = KEPT
    log_questions: bool = False
    log_clients: bool = False
    process: int | None = None
