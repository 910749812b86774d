"""The corpus folder: its files, and sources.toml, the manifest of every work that can be cited.

Left out: what stands in the files (the readers) and bringing them from their publishers (fetching).
"""

from __future__ import annotations

import hashlib
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eunato_rag.errors import CorpusNotFound, ManifestError
from eunato_rag.ingestion.citations import resolve
from eunato_rag.records import CslRecord, Document, Mention, Work

MANIFEST = "sources.toml"
_DESCRIBES = {MANIFEST, "README.md", "fetched/fetched.json"}
_WORK_KEYS = {"id", "file", "format", "rights", "alternates", "unverified", "csl", "cited"}
_MENTION_KEYS = {"by", "note", "as_printed", "target", "where", "problems"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The works of sources.toml, in its order."""

    works: tuple[Work, ...] = ()

    def with_files(self, files: Mapping[str, str]) -> Manifest:
        """The manifest with a file for each work without one that `files`, path below the corpus to work id, has a file of."""
        paths = {work: path for path, work in files.items()}
        return Manifest(tuple(replace(w, file=paths.get(w.id)) if w.file is None else w for w in self.works))

    def for_source(self, source: str) -> Work | None:
        return next((work for work in self.works if work.file == source), None)

    def like(self, record: CslRecord) -> Work | None:
        """The work without a file that a document's own record names by address, or by its whole title."""
        title, address = _letters(record.get("title")), str(record.get("URL") or "").rstrip("/")
        for work in self.works:
            if work.file is None and address and address in (str(work.csl.get("URL", "")).rstrip("/"), *work.alternates):
                return work
        same = [work for work in self.works if work.file is None and len(title) >= 16 and _letters(work.csl.get("title")) == title]
        return same[0] if len(same) == 1 else None


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
    if not path.resolve().is_relative_to(folder.resolve()):
        return "it is a link to a file outside of the corpus folder. Copy the file there."
    return None


State = Mapping[str, tuple[int, int]]
"""Of each path below a folder what tells that it is another: its time of change and its size."""


def changes(folder: Path, seen: State, *, quiet: float = 2.0, every: float = 0.5) -> Iterator[None]:
    """One item whenever the folder is not as it was seen last, and then stayed as it is for `quiet` seconds. Never ends.

    Looked at every `every` seconds, since notices of a file system do not come from network shares. A folder that is gone
    for a while counts as empty.
    """
    while True:
        time.sleep(every)
        now = state_of(folder)
        if now == seen:
            continue
        still = time.monotonic()
        while time.monotonic() - still < quiet:
            time.sleep(every)
            later = state_of(folder)
            if later != now:
                now, still = later, time.monotonic()
        if now != seen:
            seen = now
            yield


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{MANIFEST} cannot be read: {error}. Mend that line.") from error
    unknown = set(table) - {"work"}
    if unknown:
        raise ManifestError(f"{MANIFEST} has a table [[{sorted(unknown)[0]}]]; it holds [[work]] only.")
    works = tuple(_work(entry, index) for index, entry in enumerate(table.get("work", []), 1))
    for kind, values in (("id", [w.id for w in works]), ("file", [w.file for w in works if w.file])):
        double = next((value for value in values if values.count(value) > 1), None)
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
    return resolve(replace(document, id=identity, source=source, work=record), manifest.works)


def document_id(source: str) -> str:
    """A readable id for a file that the manifest does not name: its name, and a digest of its path to keep it apart."""
    name = re.sub(r"[^a-z0-9]+", "-", Path(source).stem.casefold()).strip("-")[:48]
    return f"{name or 'document'}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _letters(title: object) -> str:
    return re.sub(r"[\W_]+", "", str(title or "")).casefold()


def _work(entry: Mapping[str, Any], index: int) -> Work:
    name = entry.get("id") or f"number {index}"
    _only(entry, _WORK_KEYS, f"work {name}")
    csl = entry.get("csl")
    if not isinstance(entry.get("id"), str) or not isinstance(csl, dict) or not csl.get("title"):
        raise ManifestError(f"{MANIFEST}, work {name}: it needs an id and a [work.csl] with a title.")
    mentions = []
    for mention in entry.get("cited", []):
        _only(mention, _MENTION_KEYS, f"work {name}, cited")
        if not isinstance(mention.get("by"), str) or not isinstance(mention.get("note", 0), int):
            raise ManifestError(f"{MANIFEST}, work {name}, cited: `by` is a work's id and `note` a number.")
        mentions.append(Mention(**{"note": None, "as_printed": "", **mention, "problems": tuple(mention.get("problems", ()))}))
    return Work(
        id=entry["id"],
        csl={"id": entry["id"], **csl},
        file=entry.get("file"),
        format=entry.get("format"),
        rights=entry.get("rights"),
        alternates=tuple(entry.get("alternates", ())),
        unverified=tuple(entry.get("unverified", ())),
        mentions=tuple(mentions),
    )


def _only(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ManifestError(f"{MANIFEST}, {where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}.")
