"""Manifest -> files: bring what sources.toml names into `corpus/fetched/`, and remember which file is which work.

Each work's addresses are tried in turn, its csl URL first, until one serves what the record's `format` says, judged by
content and never by label. A body is gathered in a hidden `.part` file, which survives an interruption and is continued
by `Range` and `If-Range` (RFC 9110, 13 and 14); whole, checked and flushed, it takes its name in one step. The next run
asks conditionally (RFC 9110, 13.1; RFC 9111, 4.3). What cannot be had becomes an outcome with its reason.

Left out: which addresses may be asked, and how politely (addresses); what stands in the files (the readers). A web page
that says "not found" with status 200 is a web page here. A body without Content-Length that ends early looks whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import httpx2
from filelock import FileLock, Timeout

from eunato_rag.errors import CorpusError, ManifestError, NotFound
from eunato_rag.ingestion.addresses import AddressRefused, Door, Resolver, host_of, http_date, make_client, resolve_host, retry_after
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.records import Work

FOLDER, STATE, LOCK = "fetched", "fetched.json", ".lock"
Kind = Literal["pdf", "docx", "html", "text"]
State = Literal["present", "fetched", "not_modified", "missing_address", "failed", "would_fetch"]

_SUFFIX: dict[Kind, str] = {"pdf": ".pdf", "docx": ".docx", "html": ".html", "text": ".txt"}
_NAME: dict[Kind, str] = {"pdf": "PDF", "docx": "DOCX", "html": "HTML", "text": "plain text"}
_WANTED: dict[str, Kind] = {"pdf": "pdf", "docx": "docx", "html": "html", "text": "text", "markdown": "text"}
_ACCEPT: dict[Kind, str] = {"pdf": "application/pdf, */*;q=0.5", "html": "text/html, application/xhtml+xml, */*;q=0.5"}
_TRY_AGAIN = {429, 500, 502, 503, 504}
_HTML = re.compile(r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body|title|meta|script|div|h1|p)\b", re.I | re.S)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take. Sizes in bytes, times in seconds; `seconds` is for all addresses and attempts of one work.

    `seconds` is looked at before each request and after each piece of a body; a server that is silent is left after `timeout`.
    """

    max_bytes: int = 64 * 2**20
    seconds: float = 300.0
    timeout: float = 30.0
    attempts: int = 4
    delay: float = 1.0
    backoff: float = 1.0
    jitter: float = 0.5
    longest_wait: float = 120.0
    hosts: int = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one work. `path` is below the corpus and names the copy at hand, an older one where the state is "failed".

    `url` is the one that served it, behind any redirects ("would_fetch": the one that would be asked first).
    """

    work: str
    state: State
    path: str | None = None
    reason: str = ""
    bytes: int | None = None
    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FetchReport:
    """One outcome for every work that was asked for, in the manifest's order."""

    outcomes: tuple[Outcome, ...] = ()

    def having(self, *states: State) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.state in states)


@dataclass(frozen=True, slots=True)
class Step:
    """Where one work stands: the bytes that are here, the bytes that were announced, and at its end the outcome."""

    work: str
    done: int = 0
    total: int | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class _Copy:
    """An entry of fetched.json: a file below the corpus, what it holds, and what makes the next request conditional."""

    file: str
    url: str
    final_url: str
    etag: str | None
    last_modified: str | None
    sha256: str
    bytes: int
    content_type: str | None
    fetched_at: str


class _Failed(Exception):
    """This address does not give the work, and asking again would not help."""


class _Again(Exception):
    """This attempt failed; another may not. `wait` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Stopped(Exception):
    """Another thread ended the run; nothing is to be reported."""


def fetch(
    manifest: Manifest,
    corpus_folder: Path,
    *,
    only: Collection[str] = (),
    dry_run: bool = False,
    limits: Limits = Limits(),
    allow_private: bool = False,
    client: httpx2.Client | None = None,
    progress: Callable[[Step], None] = lambda step: None,
    resolve: Resolver = resolve_host,
    sleep: Callable[[float], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FetchReport:
    """Bring the works of a manifest, or those whose ids are in `only`, into `fetched/` below the corpus.

    A work whose `file` is in the corpus is present and is not asked for. `allow_private` lets requests reach addresses
    that are not public and go from https to http. A dry run asks nobody and writes nothing. `progress` is called from
    several threads, one at a time. An interruption leaves whole files, their entries, and parts that the next run continues.

    Raises:
        NotFound: `only` names a work that the manifest does not have.
        ManifestError: fetched.json is malformed.
        CorpusError: another run is at work in that folder, or the folder cannot be written.
    """
    strange = sorted(set(only) - {work.id for work in manifest.works})
    if strange:
        raise NotFound(f"The manifest has no work {strange[0]!r}. See what would be fetched: eunato-rag fetch --dry-run")
    works = [work for work in manifest.works if not only or work.id in only]
    copies = _read_state(corpus_folder)
    outcomes: dict[str, Outcome] = {}
    hosts: dict[str, list[Work]] = {}
    for work in works:
        addresses, copy = _addresses(work), copies.get(work.id)
        if work.file is not None and (corpus_folder / work.file).is_file():
            outcomes[work.id] = Outcome(work.id, "present", work.file)
        elif not addresses:
            outcomes[work.id] = Outcome(work.id, "missing_address", reason="the manifest has no address for it")
        elif dry_run:
            outcomes[work.id] = Outcome(work.id, "would_fetch", copy and copy.file, url=addresses[0])
        else:
            hosts.setdefault(_host(addresses[0]), []).append(work)
    for outcome in outcomes.values():
        progress(Step(outcome.work, outcome=outcome))
    if hosts:
        with _writing(corpus_folder) as folder:
            asked = client or make_client()
            run = _Run(folder, asked, limits, allow_private, progress, resolve, sleep, clock)
            try:
                outcomes |= run.all(hosts)
            finally:
                if client is None:
                    asked.close()
    return FetchReport(tuple(outcomes[work.id] for work in works))


def fetched_files(corpus_folder: Path) -> Mapping[str, str]:
    """Path below the corpus to the id of the work, for every fetched file that is there; empty before the first fetch.

    Raises:
        ManifestError: fetched.json is malformed.
    """
    return {copy.file: work for work, copy in _read_state(corpus_folder).items() if (corpus_folder / copy.file).is_file()}


def kind_of(path: Path) -> Kind | None:
    """What a file is by its content, or None for what no reader takes (or nothing at all)."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if head.startswith(mark):
            return "html" if _HTML.match(head[len(mark) :].decode(encoding, "replace")) else "text"
    if _HTML.match(head.decode("latin-1")):
        return "html"
    if b"%PDF-" in head[:1024]:  # readers of PDF bear a little in front of the header
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                return "docx" if "word/document.xml" in archive.namelist() else None
        except zipfile.BadZipFile:
            return None
    return None if not head or head.startswith(b"<?xml") or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head) else "text"


class _Run:
    """One call of `fetch`: hosts in parallel, the works of one host after another."""

    def __init__(
        self,
        folder: Path,
        client: httpx2.Client,
        limits: Limits,
        allow_private: bool,
        progress: Callable[[Step], None],
        resolve: Resolver,
        sleep: Callable[[float], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self.folder, self.limits, self.clock, self.progress = folder, limits, clock, progress
        self.copies = _read_state(folder.parent)
        self.stop, self.lock = Event(), Lock()
        self.sleep: Callable[[float], object] = sleep or self.stop.wait
        self.door = Door(client, delay=limits.delay, pause=self.pause, clock=clock, resolve=resolve, allow_private=allow_private)
        self.agent = f"eunato-rag/{version('eunato-rag')} (fetches cited documents; contact: see the project's README)"

    def all(self, hosts: Mapping[str, list[Work]]) -> dict[str, Outcome]:
        with ThreadPoolExecutor(self.limits.hosts, thread_name_prefix="fetch") as pool:
            try:
                futures = [pool.submit(self.works, works) for works in hosts.values()]
                wait(futures, return_when=FIRST_EXCEPTION)
                failed = next((future for future in futures if future.done() and future.exception()), None)
                return {o.work: o for future in ([failed] if failed else futures) for o in future.result()}
            finally:  # also on Ctrl-C: the other threads end at their next piece
                self.stop.set()
                pool.shutdown(cancel_futures=True)

    def works(self, works: list[Work]) -> list[Outcome]:
        outcomes = []
        for work in works:
            outcome = self.work(work)
            self.tell(Step(work.id, outcome.bytes or 0, outcome.bytes, outcome))
            outcomes.append(outcome)
        return outcomes

    def work(self, work: Work) -> Outcome:
        copy = self.copies.get(work.id)
        path = self.folder.parent / copy.file if copy else None
        if copy and not (path and path.is_file() and _sha256(path) == copy.sha256):
            copy = None  # a file that was taken away or changed is brought anew
        until = self.clock() + self.limits.seconds
        parts = {address: _Part(self.folder / f".{_stem(work.id)}.{_digest(address)}.part") for address in _addresses(work)}
        reasons: list[str] = []
        spare: tuple[_Copy, _Part, str] | None = None
        for address, part in parts.items():
            try:
                served = self.download(work, address, part, copy, until)
                if copy and (served is None or served.sha256 == copy.sha256):
                    return self.keep(work, served or copy, parts)
                assert served is not None
                remark = _judge(work, address, kind_of(part.data))
            except _Failed as failure:
                reasons.append(f"{address}: {failure}" if len(parts) > 1 else str(failure))
                continue
            if not remark:
                return self.publish(work, served, part, "", parts)
            spare = spare or (served, part, remark)
        if spare:
            return self.publish(work, *spare, parts)
        return Outcome(work.id, "failed", copy and copy.file, "; ".join(reasons), copy and copy.bytes, copy and copy.sha256)
