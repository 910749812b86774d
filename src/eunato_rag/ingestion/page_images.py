"""A page of a PDF as a picture, with a range of its words marked; drawn in a process of its own, as files are read.

The words of a document's canonical text are found again among the page's glyphs by their letters and digits alone: hyphens,
spaces and lifted note markers differ. Left out: which page and which words (the caller knows them).
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from eunato_rag.errors import UnreadableDocument

MODULE = "eunato_rag.ingestion.page_images"
SECONDS = 20.0
WIDTH = 1400
"""Pixels across, whatever the size of the page: twice what a screen shows of it."""
_MOST_PIXELS = 12_000_000
_LEAST_ALIKE = 70.0
"""Of 100: how much of the words must be found on the page for any to be marked."""
_ROOM = 40
"""Letters by which the words may be longer on the page: note markers, words that were cut at a line's end and doubled."""
_LEAST_RUN = 3
"""Fewer letters in a row are alike by chance."""
_MARK = (255, 226, 110)
_MEMORY_MB = 2048


@dataclass(frozen=True, slots=True)
class Mark:
    """Words to mark, and how many letters and digits of the page's canonical text stand before them."""

    words: str
    before: int = 0


def letters(text: str) -> str:
    """What is compared: letters and digits in one form, small."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def draw_page(path: Path, number: int, mark: Mark | None = None) -> bytes:
    """A page of a PDF, counted from 1, as PNG.

    Raises:
        UnreadableDocument: it cannot be drawn, or took longer than 20 s.
    """
    asked = json.dumps({"path": str(path), "number": number, "mark": asdict(mark) if mark else None})
    try:
        done = subprocess.run([sys.executable, "-m", MODULE], input=asked.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableDocument(f"Page {number} of {path.name} took longer than {SECONDS:g} s to draw.") from error
    if done.returncode != 0 or not done.stdout.startswith(b"\x89PNG"):
        raise UnreadableDocument(f"Page {number} of {path.name} cannot be drawn.")
    return done.stdout


def _draw(path: str, number: int, mark: Mark | None) -> bytes:
    import pypdfium2
    from PIL import Image, ImageChops, ImageDraw

    page = pypdfium2.PdfDocument(path)[number - 1]
    width, height = page.get_size()
    scale = min(WIDTH / max(width, 1.0), (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    picture = page.render(scale=scale).to_pil().convert("RGB")
    if mark is not None:
        layer = Image.new("RGB", picture.size, "white")
        pen = ImageDraw.Draw(layer)
        for box in _boxes(page, mark, picture.size):
            pen.rectangle(box, fill=_MARK)
        picture = ImageChops.multiply(picture, layer)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _boxes(page: Any, mark: Mark, size: tuple[int, int]) -> Iterator[tuple[float, float, float, float]]:
    """Where the words stand in the picture, one box for each run of neighbouring glyphs."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    glyphs = [(letter, n) for n in range(text.count_chars()) for letter in letters(chr(pdfium.FPDFText_GetUnicode(text.raw, n)))]
    rect, x, y = pdfium.FS_RECTF(), ctypes.c_int(), ctypes.c_int()
    run: tuple[float, float, float, float] | None = None
    for n in dict.fromkeys(glyphs[k][1] for k in found("".join(letter for letter, _ in glyphs), mark)):
        pdfium.FPDFText_GetLooseCharBox(text.raw, n, rect)
        corners = []
        for across, up in ((rect.left, rect.top), (rect.right, rect.bottom)):
            pdfium.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, across, up, x, y)
            corners.append((x.value, y.value))
        (left, right), (top, bottom) = (sorted(side) for side in zip(*corners, strict=True))
        if run and abs(top - run[1]) < (bottom - top) / 2 and run[0] <= left <= run[2] + 2 * (bottom - top):
            run = (run[0], min(run[1], top), max(run[2], right), max(run[3], bottom))
        else:
            if run:
                yield run
            run = (left, top, right, bottom)
    if run:
        yield run


def found(page: str, mark: Mark) -> Sequence[int]:
    """The places of the words among a page's letters; of several occurrences the one nearest to where they should be."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.fuzz import partial_ratio_alignment

    wanted = letters(mark.words)
    if not wanted:
        return []
    places = [n for n in range(len(page) - len(wanted) + 1) if page.startswith(wanted, n)]
    if places:
        start = min(places, key=lambda place: abs(place - mark.before))
        return range(start, start + len(wanted))
    near = partial_ratio_alignment(wanted, page, score_cutoff=_LEAST_ALIKE)
    if near is None or len(wanted) > len(page):
        return []
    start = max(0, near.dest_start - _ROOM)
    edits = Indel.opcodes(wanted, page[start : near.dest_end + _ROOM])
    runs = [(edit.dest_start, edit.dest_end) for edit in edits if edit.tag == "equal" and edit.dest_end - edit.dest_start >= _LEAST_RUN]
    return [start + n for run in runs for n in range(*run)]


def _main() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MB * 2**20, _MEMORY_MB * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    sys.stdout.buffer.write(_draw(asked["path"], asked["number"], Mark(**asked["mark"]) if asked["mark"] else None))


if __name__ == "__main__":
    _main()
