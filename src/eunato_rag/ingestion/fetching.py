"""Manifest -> files: bring what sources.toml names into `corpus/fetched/`, and remember which file is which work.

Each work's addresses are tried in turn, its csl URL first, until one serves what the record's `format` says, judged by
content and never by label. A body is gathered in a hidden `.part` file, which survives an interruption and is continued
by `Range` and `If-Range` (RFC 9110, 13 and 14); whole, checked and flushed, it takes its name in one step. The next run
asks conditionally (RFC 9110, 13.1; RFC 9111, 4.3). What cannot be had becomes an outcome with its reason.

Left out: which addresses may be asked (addresses), and how politely (downloading); the folder and its state file (fetched);
what stands in the files (the readers). A web page that says "not found" with status 200 is a web page here. A body without
Content-Length that ends early looks whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import httpx2

from eunato_rag.errors import NotFound
from eunato_rag.ingestion.addresses import NotServed, Resolver, host_of, resolve_host
from eunato_rag.ingestion.downloading import Door, Limits, Served, make_client
from eunato_rag.ingestion.fetched import (
    FOLDER,
    SUFFIX,
    Copy,
    Kind,
    brought_by_hand,
    digest,
    flush_folder,
    kind_of,
    read_state,
    sha256,
    stem,
    write_state,
    writing,
)
from eunato_rag.ingestion.parts import Part
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.records import Work

State = Literal["present", "fetched", "not_modified", "missing_address", "failed", "would_fetch"]

_NAME: dict[Kind, str] = {"pdf": "PDF", "docx": "DOCX", "html": "HTML", "text": "plain text"}
_WANTED: dict[str, Kind] = {"pdf": "pdf", "docx": "docx", "html": "html", "text": "text", "markdown": "text"}
_ACCEPT = {"pdf": "application/pdf, */*;q=0.5", "html": "text/html, application/xhtml+xml, */*;q=0.5"}


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

    A work whose `file` is in the corpus is present and is not asked for, nor is one whose copy somebody put into `fetched/`
    under its name; a fetched copy that was changed or taken away since is brought anew. `allow_private` lets requests reach
    addresses that are not public and go from https to http. A dry run asks nobody and writes nothing. `progress` is called
    from several threads, one at a time. An interruption leaves whole files, their entries, and parts that the next run
    continues. `resolve`, `sleep` and `clock` stand for the system's; a `client` that is passed in stays open.

    Raises:
        NotFound: `only` names a work that the manifest does not have.
        ManifestError: fetched.json is malformed.
        CorpusError: another run is at work in that folder, or the folder cannot be written.
    """
    strange = sorted(set(only) - {work.id for work in manifest.works})
    if strange:
        raise NotFound(f"The manifest has no work {strange[0]!r}. See what would be fetched: eunato-rag fetch --dry-run")
    works = [work for work in manifest.works if not only or work.id in only]
    copies = read_state(corpus_folder)
    outcomes: dict[str, Outcome] = {}
    hosts: dict[str, list[Work]] = {}
    for work in works:
        addresses, copy = _addresses(work), copies.get(work.id)
        if work.file is not None and (corpus_folder / work.file).is_file():
            outcomes[work.id] = Outcome(work.id, "present", work.file)
        elif copy is None and (own := brought_by_hand(corpus_folder, work)):
            outcomes[work.id] = Outcome(work.id, "present", own, f"it was not fetched; write file = {own!r} into its record to cite it")
        elif not addresses:
            outcomes[work.id] = Outcome(work.id, "missing_address", reason="the manifest has no address for it")
        elif dry_run:
            outcomes[work.id] = Outcome(work.id, "would_fetch", copy.file if copy else None, url=addresses[0])
        else:
            hosts.setdefault(_host(addresses[0]), []).append(work)
    for outcome in outcomes.values():
        progress(Step(outcome.work, outcome=outcome))
    if hosts:
        with writing(corpus_folder) as folder:
            asked = client or make_client()
            run = _Run(folder, asked, limits, allow_private, progress, resolve, sleep, clock)
            try:
                outcomes |= run.all(hosts)
            finally:
                if client is None:
                    asked.close()
    return FetchReport(tuple(outcomes[work.id] for work in works))


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
        self.copies = read_state(folder.parent)
        self.stop, self.lock = Event(), Lock()
        self.sleep: Callable[[float], object] = sleep or self.stop.wait
        self.door = Door(client, limits, pause=self.pause, clock=clock, resolve=resolve, allow_private=allow_private)
        self.agent = f"eunato-rag/{version('eunato-rag')} (fetches cited documents; contact: see the project's README)"

    def all(self, hosts: Mapping[str, list[Work]]) -> dict[str, Outcome]:
        with ThreadPoolExecutor(self.limits.hosts, thread_name_prefix="fetch") as pool:
            futures = [pool.submit(self.host, works) for works in hosts.values()]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                broken = [future for future in futures if future.done() and future.exception()]
                return {outcome.work: outcome for future in broken or futures for outcome in future.result()}
            finally:  # after an error or Ctrl-C the other threads end at their next piece or pause
                self.stop.set()
                pool.shutdown(cancel_futures=True)

    def host(self, works: list[Work]) -> list[Outcome]:
        outcomes = []
        for work in works:
            outcomes.append(self.bring(work))
            self.tell(Step(work.id, outcomes[-1].bytes or 0, outcomes[-1].bytes, outcomes[-1]))
        return outcomes

    def bring(self, work: Work) -> Outcome:
        copy = self.copies.get(work.id)
        if copy and (not self.intact(copy) or _judge(work, copy.url, kind_of(self.folder.parent / copy.file))[0]):
            copy = None  # what was taken away or changed, or is not what the record now wants, is brought anew
        known = Served(copy.final_url, copy.etag, copy.last_modified, copy.content_type) if copy else None
        parts = {address: Part(self.folder / f".{stem(work.id)}.{digest(address)}.part") for address in _addresses(work)}
        until = self.clock() + self.limits.seconds
        reasons: list[str] = []
        spare: tuple[str, Served, Kind, str] | None = None
        for address, part in parts.items():
            try:
                served = self.door.download(
                    address,
                    part,
                    headers={"User-Agent": self.agent, "Accept": _ACCEPT.get(work.format or "", "*/*")},
                    until=until,
                    known=known,
                    heard=lambda done, total: self.tell(Step(work.id, done, total)),
                )
            except NotServed as error:
                part.settle()
                reasons.append(f"{address}: {error}" if len(parts) > 1 else str(error))
                continue
            if served is None:
                _discard(parts)
                return _outcome(work, "not_modified", copy)
            kind = kind_of(part.path)
            refusal, remark = _judge(work, address, kind)
            if kind is None or refusal:
                part.discard()
                reasons.append(f"{address}: {refusal}" if len(parts) > 1 else refusal)
            elif not remark:
                return self.publish(work, address, served, kind, "", parts)
            else:
                spare = spare or (address, served, kind, remark)
        if spare:
            return self.publish(work, *spare, parts)
        return _outcome(work, "failed", copy, "; ".join(reasons))

    def publish(self, work: Work, address: str, served: Served, kind: Kind, remark: str, parts: Mapping[str, Part]) -> Outcome:
        """Enter a whole part, then give it its name: torn apart between the two, the entry's checksum has it brought again."""
        part, before = parts[address].path, self.copies.get(work.id)
        path = self.folder / f"{stem(work.id)}{SUFFIX[kind]}"
        copy = Copy(
            file=f"{FOLDER}/{path.name}",
            url=address,
            final_url=served.url,
            etag=served.etag,
            last_modified=served.last_modified,
            sha256=sha256(part),
            bytes=part.stat().st_size,
            content_type=served.content_type,
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        same = before is not None and before.sha256 == copy.sha256 and self.intact(before)
        with self.lock:
            self.copies = {**self.copies, work.id: copy}
            write_state(self.folder, self.copies)
        os.replace(part, path)
        flush_folder(self.folder)
        if before is not None and before.file != copy.file:
            (self.folder.parent / before.file).unlink(missing_ok=True)
        _discard(parts)
        return _outcome(work, "not_modified" if same else "fetched", copy, remark or ("it served the same bytes again" if same else ""))

    def intact(self, copy: Copy) -> bool:
        path = self.folder.parent / copy.file
        return path.is_file() and sha256(path) == copy.sha256

    def tell(self, step: Step) -> None:
        self.check()
        with self.lock:
            self.progress(step)

    def pause(self, seconds: float) -> None:
        self.sleep(seconds)
        self.check()

    def check(self) -> None:
        if self.stop.is_set():
            raise _Stopped


def _judge(work: Work, address: str, kind: Kind | None) -> tuple[str, str]:
    """Why a body is not the work, and what to remark on it where it may be; both empty where it is what was wanted.

    A PDF or DOCX serves for a work that is a web page, and a web page for one whose address promises a PDF: each only
    where no other address does better.
    """
    wanted = _WANTED.get(work.format or "")
    if kind is None:
        return "it served nothing that can be read", ""
    if wanted is None or kind == wanted:
        landing = kind == "html" and httpx2.URL(address).path.lower().endswith(".pdf")
        return "", "it served HTML, not the PDF that the address promises" if landing else ""
    said = f"it served {_NAME[kind]}, not {_NAME[wanted]}"
    return ("", said) if wanted == "html" and kind in ("pdf", "docx") else (said, "")


def _outcome(work: Work, state: State, copy: Copy | None, reason: str = "") -> Outcome:
    if copy is None:
        return Outcome(work.id, state, reason=reason)
    return Outcome(work.id, state, copy.file, reason, copy.bytes, copy.sha256, copy.final_url)


def _addresses(work: Work) -> list[str]:
    return list(dict.fromkeys(str(address) for address in (work.csl.get("URL"), *work.alternates) if address))


def _host(address: str) -> str:
    try:
        return host_of(httpx2.URL(address))
    except httpx2.InvalidURL:
        return ""  # the door will say what is wrong with it


def _discard(parts: Mapping[str, Part]) -> None:
    for part in parts.values():
        part.discard()
