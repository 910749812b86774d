"""A file that came over HTTP -> a file set aside for a job, named by us. Its type is told by its content, never by its name."""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from eunato_rag.errors import InvalidText

MOST_BYTES = 64 * 2**20
_STAGED = "uploads"
_HTML = re.compile(rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_MARKDOWN = re.compile(r"^(?:#{1,6} \S|---\n|\[\^?[\w-]+\]: )|\]\(https?://", re.MULTILINE)


def staged(file: BinaryIO, name: str, folder: Path) -> dict[str, str]:
    """What a job needs to know of an uploaded file: where it lies now, and the name it will have in the corpus.

    The same bytes under the same name are the same request.

    Raises:
        InvalidText: empty, too large, or of a type that no reader knows; says which and what to do.
    """
    data = file.read(MOST_BYTES + 1)
    if not data:
        raise InvalidText("The file is empty.")
    if len(data) > MOST_BYTES:
        raise InvalidText(f"The file has more than {MOST_BYTES:,} bytes. Split it, or put it into the corpus folder and re-index.")
    suffix = _suffix(data)
    digest = hashlib.sha256(data).hexdigest()
    stem = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(name.replace("\\", "/")).stem.casefold()).strip("-")[:60]
    called = f"{stem or 'document'}-{digest[:8]}{suffix}"
    place = folder / _STAGED / called
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as aside:
            aside.write(data)
        Path(aside.name).replace(place)
    return {"file": str(place.absolute()), "name": called, "sha256": digest}


def _suffix(data: bytes) -> str:
    """The suffix under which a reader takes the bytes."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return _of_package(data)
    if _HTML.search(data[:4096].lstrip(b"\xef\xbb\xbf")):
        return ".html"
    if b"\x00" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidText("The file is none of PDF, HTML, DOCX, Markdown and plain text. Convert it to one of them.")
    return ".md" if _MARKDOWN.search(data[:200_000].decode("utf-8", "replace")) else ".txt"


def _of_package(data: bytes) -> str:
    from io import BytesIO

    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidText("The file is a damaged archive. Save it again, as DOCX or PDF.") from error
    if "word/document.xml" in names:
        return ".docx"
    raise InvalidText("The file is an archive, but no DOCX. Upload its documents one by one, as DOCX, PDF or HTML.")
