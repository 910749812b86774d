"""A file that came over HTTP -> a file set aside for a job, named by us. Its type is told by its content, never by its name."""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from eunato_rag.errors import InvalidText

MOST_BYTES = 64 * 2**20
_PIECE, _HEAD = 2**20, 200_000
"""Bytes that are copied at a time, and those from which a file's type is told."""
_STAGED = "uploads"
_HTML = re.compile(rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_MARKDOWN = re.compile(r"^(?:#{1,6} \S|---\n|\[\^?[\w-]+\]: )|\]\(https?://", re.MULTILINE)


def staged(file: BinaryIO, name: str, folder: Path) -> dict[str, str]:
    """What a job needs to know of an uploaded file: where it lies now, and the name it will have in the corpus.

    The same bytes under the same name are the same request.

    Raises:
        InvalidText: empty, too large, or of a type that no reader knows; says which and what to do.
    """
    place = folder / _STAGED
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place, delete=False) as aside:
        try:
            sha256, size = _copied(file, aside)
            if not size:
                raise InvalidText("The file is empty.")
            suffix = _suffix(aside)
        except BaseException:  # whatever ends it, a signal too, leaves no half file
            Path(aside.name).unlink()
            raise
    digest = sha256.hexdigest()
    stem = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(name.replace("\\", "/")).stem.casefold()).strip("-")[:60]
    called = f"{stem or 'document'}-{digest[:8]}{suffix}"
    Path(aside.name).replace(place / called)
    return {"file": str((place / called).absolute()), "name": called, "sha256": digest}


def _copied(file: BinaryIO, aside: IO[bytes]) -> tuple[Any, int]:
    """The digest and the size of what was copied, piece by piece: however large it is, no more than a piece is in memory."""
    sha256, size = hashlib.sha256(), 0
    while data := file.read(_PIECE):
        size += len(data)
        if size > MOST_BYTES:
            raise InvalidText(f"The file has more than {MOST_BYTES:,} bytes. Split it, or put it into the corpus folder and re-index.")
        sha256.update(data)
        aside.write(data)
    aside.flush()
    return sha256, size


def _suffix(file: IO[bytes]) -> str:
    """The suffix under which a reader takes a file."""
    file.seek(0)
    data = file.read(_HEAD)
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return _of_package(file)
    if _HTML.search(data[:4096].lstrip(b"\xef\xbb\xbf")):
        return ".html"
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not marked and (b"\x00" in data or any(b"\x00" in more for more in iter(partial(file.read, _PIECE), b""))):
        raise InvalidText("The file is none of PDF, HTML, DOCX, Markdown and plain text. Convert it to one of them.")
    return ".md" if _MARKDOWN.search(data.decode("utf-8", "replace")) else ".txt"


def _of_package(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidText("The file is a damaged archive. Save it again, as DOCX or PDF.") from error
    if "word/document.xml" in names:
        return ".docx"
    raise InvalidText("The file is an archive, but no DOCX. Upload its documents one by one, as DOCX, PDF or HTML.")
