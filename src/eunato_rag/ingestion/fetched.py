"""The folder `corpus/fetched/`: its lock, its files' names and kinds, and fetched.json, which says which file is which work.

An entry is written before its file takes its name, both flushed; its checksum tells later whether the file is the one that
was fetched. What a file is, is judged by content and never by label.

Left out: how the files come here (fetching); what stands in them (the readers).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from eunato_rag.errors import CorpusError, ManifestError
from eunato_rag.records import Work

FOLDER, STATE, LOCK = "fetched", "fetched.json", ".lock"
Kind = Literal["pdf", "docx", "html", "text"]

SUFFIX: dict[Kind, str] = {"pdf": ".pdf", "docx": ".docx", "html": ".html", "text": ".txt"}
# Atomic, because comments could otherwise be divided up in exponentially many ways.
_HTML = re.compile(r"(?>\s+|<\?xml[^>]*>|<!--.*?-->)*+<(?:!doctype\s+html|html|head|body|title|meta|script|div|h1|p)\b", re.I | re.S)


@dataclass(frozen=True, slots=True)
class Copy:
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


def fetched_files(corpus_folder: Path) -> Mapping[str, str]:
    """Path below the corpus to the id of the work, for every fetched file that is there; empty before the first fetch.

    Raises:
        ManifestError: fetched.json is malformed.
    """
    return {copy.file: work for work, copy in read_state(corpus_folder).items() if (corpus_folder / copy.file).is_file()}


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


def brought_by_hand(corpus_folder: Path, work: Work) -> str | None:
    """A file under the name that fetching would give, which somebody else put there and which is therefore left alone."""
    names = (f"{FOLDER}/{stem(work.id)}{suffix}" for suffix in SUFFIX.values())
    return next((name for name in names if (corpus_folder / name).exists()), None)


def stem(work_id: str) -> str:
    """The work's id where that is a plain file name, else one made from it."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", work_id):
        return work_id
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', work_id).strip('-')[:48] or 'work'}-{digest(work_id)}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(corpus_folder: Path) -> Iterator[Path]:
    """The folder of fetched files, made and locked."""
    folder = corpus_folder / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, timeout=0):
            yield folder
    except Timeout as error:
        raise CorpusError(f"Another process is fetching into {folder}. Wait for it, then run: eunato-rag fetch") from error
    except OSError as error:
        raise CorpusError(f"{folder} cannot be written: {error}. Mend that, then run: eunato-rag fetch") from error


def read_state(corpus_folder: Path) -> dict[str, Copy]:
    """The entries of fetched.json by the work's id; empty before the first fetch.

    Raises:
        ManifestError: it is malformed.
    """
    path = corpus_folder / FOLDER / STATE
    try:
        table = json.loads(path.read_text("utf-8"))
        copies = {str(work): Copy(**entry) for work, entry in table["works"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{FOLDER}/{STATE} is malformed: {error!r}. Delete it and run: eunato-rag fetch") from error
    for work, copy in copies.items():
        texts = (copy.file, copy.url, copy.final_url, copy.sha256, copy.fetched_at)
        maybe = (copy.etag, copy.last_modified, copy.content_type)
        plain = all(isinstance(text, str) for text in texts) and all(isinstance(text, str | None) for text in maybe)
        if not plain or not isinstance(copy.bytes, int) or not re.fullmatch(rf"{FOLDER}/[^/\\]+", copy.file):
            raise ManifestError(f"{FOLDER}/{STATE}, work {work}: its entry is malformed. Delete the file and run: eunato-rag fetch")
    return copies


def write_state(folder: Path, copies: Mapping[str, Copy]) -> None:
    """Put these entries in place of all that fetched.json holds, in one step."""
    aside = folder / f".{STATE}"
    with aside.open("w", encoding="utf-8") as file:
        json.dump({"works": {work: asdict(copies[work]) for work in sorted(copies)}}, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, folder / STATE)


def flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)  # so that the new names last, too
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
