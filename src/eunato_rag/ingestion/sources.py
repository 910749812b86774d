"""The corpus folder: its files, and sources.toml, the manifest of every work that can be cited.

Left out: what stands in the files (the readers) and bringing them from their publishers (fetching).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from eunato_rag.errors import CorpusNotFound, ManifestError
from eunato_rag.ingestion.citations import Resolver
from eunato_rag.records import CslRecord, Document, Mention, Work

MANIFEST = "sources.toml"
_DESCRIBES = {MANIFEST, "README.md", "fetched/fetched.json"}
_WORK_KEYS = {"id", "file", "format", "rights", "alternates", "unverified", "csl", "cited"}
_MENTION_KEYS = {"by", "note", "as_printed", "target", "where", "problems"}
_TEXTS = {"id", "file", "format", "rights", "by", "as_printed", "target", "where"}
_LISTS = {"alternates", "unverified", "problems"}
_NAMES = {
    *("author", "chair", "collection-editor", "compiler", "composer", "container-author", "contributor", "curator", "director", "editor"),
    *("editorial-director", "editor-translator", "executive-producer", "guest", "host", "illustrator", "interviewer", "narrator"),
    *(
        "organizer",
        "original-author",
        "performer",
        "producer",
        "recipient",
        "reviewed-author",
        "script-writer",
        "series-creator",
        "translator",
    ),
}
_NUMBERS = {
    *("chapter-number", "citation-number", "collection-number", "edition", "first-reference-note-number", "issue", "locator", "number"),
    *("number-of-pages", "number-of-volumes", "page", "page-first", "part-number", "printing-number", "section", "supplement-number"),
    *("version", "volume"),
}
_DATES = {"accessed", "available-date", "event-date", "issued", "original-date", "submitted"}


@dataclass(frozen=True)
class Manifest:
    """The works of sources.toml, in its order."""

    works: tuple[Work, ...] = ()

    def with_files(self, files: Mapping[str, str]) -> Manifest:
        """The manifest with a file for each work without one that `files`, path below the corpus to work id, has a file of."""
        paths = {work: path for path, work in files.items()}
        return Manifest(tuple(replace(w, file=paths.get(w.id)) if w.file is None else w for w in self.works))

    def for_source(self, source: str) -> Work | None:
        return self._by_file.get(source)

    def like(self, record: CslRecord) -> Work | None:
        """The work without a file that a document's own record names by address, or by its whole title."""
        title, address = _letters(record.get("title")), str(record.get("URL") or "").rstrip("/")
        if address and address in self._by_address:
            return self._by_address[address]
        same = self._by_title.get(title, ()) if len(title) >= 16 else ()
        return same[0] if len(same) == 1 else None

    @cached_property
    def resolver(self) -> Resolver:
        return Resolver(self.works)

    @cached_property
    def _by_file(self) -> Mapping[str, Work]:
        return {work.file: work for work in reversed(self.works) if work.file is not None}

    @cached_property
    def _by_address(self) -> Mapping[str, Work]:
        found: dict[str, Work] = {}
        for work in self.works:
            for address in (str(work.csl.get("URL", "")).rstrip("/"), *work.alternates) if work.file is None else ():
                found.setdefault(address, work)
        return found

    @cached_property
    def _by_title(self) -> Mapping[str, list[Work]]:
        found: dict[str, list[Work]] = {}
        for work in self.works:
            if work.file is None:
                found.setdefault(_letters(work.csl.get("title")), []).append(work)
        return found


def list_sources(folder: Path) -> list[tuple[str, Path]]:
    """Every file below the corpus folder as (path below it with `/`, path), in order of name.

    Hidden files, the manifest and the folder's own README.md are not documents.

    Raises:
        CorpusNotFound: no such folder.
    """
    if not folder.is_dir():
        raise CorpusNotFound(f"There is no corpus folder at {folder}. Make it, put documents in it, or name another: --corpus DIR")
    found = []
    for path in sorted(folder.rglob("*")):
        source = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in source.split("/"))
        if path.is_file() and not hidden and source not in _DESCRIBES:
            found.append((source, path))
    return found


def unfit(folder: Path, path: Path) -> str | None:
    """Why a file below the corpus folder is not to be read at all; None where it may be.

    A link must not bring in what lies elsewhere, and a name that is no Unicode cannot be kept.
    """
    try:
        path.relative_to(folder).as_posix().encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not valid UTF-8. Rename it."
    if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), "")):
        return "it is a link to a file outside of the corpus folder. Copy the file there."
    return None


_SHARE = 50
"""Looking at a folder takes at most one part in so many of the time."""

State = Mapping[str, tuple[int, int]]
"""Of each path below a folder what tells that it is another: its time of change and its size."""


def changes(folder: Path, seen: State, *, quiet: float = 2.0, every: float = 0.5, stopped: Event | None = None) -> Iterator[frozenset[str]]:
    """The paths that are not as they were seen last, whenever the folder then stayed as it is for `quiet` seconds.

    Looked at every `every` seconds, and more seldom where a look takes long, since notices of a file system do not come
    from network shares. A folder that is gone for a while counts as empty. Ends when `stopped` is set, never without it.
    """
    stopped = stopped or Event()
    now, pause = seen, every
    while not stopped.wait(pause):
        now, pause = _look(folder, every)
        if now == seen:
            continue
        still = time.monotonic()
        while time.monotonic() - still < quiet and not stopped.wait(pause):
            later, pause = _look(folder, every)
            if later != now:
                now, still = later, time.monotonic()
        changed = frozenset(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path))
        if changed and not stopped.is_set():
            seen = now
            yield changed


def _look(folder: Path, every: float) -> tuple[State, float]:
    """The state of a folder, and how long to wait until the next look."""
    began = time.monotonic()
    state = state_of(folder)
    return state, max(every, _SHARE * (time.monotonic() - began))


def state_of(folder: Path) -> State:
    """How a corpus folder stands now; files that describe the corpus count, too, hidden ones do not."""
    found = {}
    for path in folder.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            with suppress(OSError):  # gone between the two looks
                status = path.stat()
                found[path.relative_to(folder).as_posix()] = (status.st_mtime_ns, status.st_size) if path.is_file() else (0, 0)
    return found


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a corpus folder; an empty one where the folder has none.

    Raises:
        ManifestError: not TOML, a key that is not known, a work without id or title, an id twice.
    """
    path = folder / MANIFEST
    if not path.exists():
        return Manifest()
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, or a number of thousands of digits
        raise ManifestError(f"{MANIFEST} cannot be read: {error}. Mend that line.") from error
    unknown = set(table) - {"work"}
    if unknown:
        raise ManifestError(f"{MANIFEST} has a table [[{sorted(unknown)[0]}]]; it holds [[work]] only.")
    works = tuple(_work(entry, index) for index, entry in enumerate(_tables(table.get("work", []), "its works"), 1))
    for kind, values in (("id", [w.id for w in works]), ("file", [w.file for w in works if w.file])):
        double = next((value for value, times in Counter(values).items() if times > 1), None)
        if double:
            raise ManifestError(f"{MANIFEST} has two works with the {kind} {double!r}; give each its own.")
    return Manifest(works)


def identify(document: Document, source: str, manifest: Manifest) -> Document:
    """The document under its lasting id, with its bibliographic record and its notes tied to the works they cite.

    A work of the manifest is known by its file, or by the title or address that the document gives itself. The id is
    that work's, else made from the path, so it outlives a change of content.
    """
    work = manifest.for_source(source) or manifest.like(document.work)
    identity = work.id if work else document_id(source)
    record = work.csl if work else {**document.work, "id": identity}
    return manifest.resolver.resolve(replace(document, id=identity, source=source, work=record))


def document_id(source: str) -> str:
    """A readable id for a file that the manifest does not name: its name, and a digest of its path to keep it apart."""
    name = re.sub(r"[^a-z0-9]+", "-", Path(source).stem.casefold()).strip("-")[:48]
    return f"{name or 'document'}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _letters(title: object) -> str:
    return re.sub(r"[\W_]+", "", str(title or "")).casefold()


def _work(entry: Mapping[str, Any], index: int) -> Work:
    name = entry["id"] if isinstance(entry.get("id"), str) and entry["id"] else f"number {index}"
    _only(entry, _WORK_KEYS, f"work {name}")
    csl = entry.get("csl")
    if not entry.get("id") or not isinstance(entry["id"], str) or not isinstance(csl, dict) or not csl.get("title"):
        raise ManifestError(f"{MANIFEST}, work {name}: it needs an id and a [work.csl] with a title.")
    _check_texts(entry, f"work {name}")
    try:
        json.dumps(csl, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ManifestError(f"{MANIFEST}, work {name}, csl: {error}. Write it as text, and a date as CSL's date-parts.") from error
    _check_csl(csl, f"work {name}, csl")
    mentions = []
    for mention in _tables(entry.get("cited", []), f"work {name}, cited"):
        _only(mention, _MENTION_KEYS, f"work {name}, cited")
        _check_texts(mention, f"work {name}, cited")
        if not isinstance(mention.get("by"), str) or not isinstance(mention.get("note", 0), int):
            raise ManifestError(f"{MANIFEST}, work {name}, cited: `by` is a work's id and `note` a number.")
        mentions.append(Mention(**{"note": None, "as_printed": "", **mention, "problems": tuple(mention.get("problems", ()))}))
    return Work(
        id=entry["id"],
        csl={"id": entry["id"], **{key: value for key, value in csl.items() if key != "id"}},
        file=entry.get("file"),
        format=entry.get("format"),
        rights=entry.get("rights"),
        alternates=tuple(entry.get("alternates", ())),
        unverified=tuple(entry.get("unverified", ())),
        mentions=tuple(mentions),
    )


def _tables(found: object, where: str) -> list[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ManifestError(f"{MANIFEST}: {where} are tables, each under a heading in double brackets.")
    return found


def _check_texts(entry: Mapping[str, Any], where: str) -> None:
    """That what must be text, or a list of texts, is."""
    for key, value in entry.items():
        if key in _TEXTS and not isinstance(value, str):
            raise ManifestError(f"{MANIFEST}, {where}: {key} is text, in quotation marks.")
        if key in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ManifestError(f"{MANIFEST}, {where}: {key} is a list of texts, each in quotation marks.")


def _check_csl(csl: Mapping[str, Any], where: str) -> None:
    """That title, names and dates have the shapes of CSL-JSON, on which everything that cites relies."""
    for key in csl.keys() - _NAMES - _DATES - _NUMBERS - {"categories", "custom"}:
        if not isinstance(csl[key], str):
            raise ManifestError(f"{MANIFEST}, {where}: {key} is text, in quotation marks.")
    for key in _NAMES & csl.keys():
        if not isinstance(csl[key], list) or not all(isinstance(name, dict) for name in csl[key]):
            raise ManifestError(f'{MANIFEST}, {where}: {key} is a list of names, such as [{{ family = "Lind", given = "Eva" }}].')
    for key in _DATES & csl.keys():
        parts = csl[key].get("date-parts", []) if isinstance(csl[key], dict) else None
        if not isinstance(parts, list) or not all(isinstance(part, list) and all(type(n) in (int, str) for n in part) for part in parts):
            raise ManifestError(f"{MANIFEST}, {where}: {key} is a date, such as {{ date-parts = [[2020, 5]] }}.")


def _only(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ManifestError(f"{MANIFEST}, {where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}.")
