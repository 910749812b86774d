"""PDF, read from small files that the tests draw themselves."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdf
import pytest
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.readers import pdf, read
from eunato_rag.ingestion.readers.pdf_lines import plain_lines
from eunato_rag.records import Block, Document, Page

WIDTH, HEIGHT = 595, 842
SERIF, BOLD = "Times-Roman", "Times-Bold"
HARBOUR = (
    "The council met in the old hall to hear what the pilots had to say about the channel and its lights. "
    "Nobody had measured the depth since the spring, and the charts were thought to be wrong by two metres. "
    "The authority promised to send a surveyor before the autumn storms, and the pilots agreed to wait for him. "
)
BARGE = (
    "A barge had gone aground below the bridge in the first week of May, and its owner blamed the authority. "
    "The insurers asked for the log, which was found to be written in pencil and in three different hands. "
    "Their letter was read aloud, and the members decided to answer it at their next meeting in June. "
)

Draw = Callable[[Canvas], object]


def drawn(*pages: Draw, canvas: Callable[[Canvas], object] | None = None) -> bytes:
    """A PDF with a page for each function; `canvas` sets what belongs to the file."""
    target = io.BytesIO()
    made = Canvas(target, pagesize=(WIDTH, HEIGHT), pageCompression=0)
    if canvas is not None:
        canvas(made)
    for draw in pages:
        draw(made)
        made.showPage()
    made.save()
    return target.getvalue()


def written(folder: Path, data: bytes, name: str = "report.pdf") -> Document:
    path = folder / name
    path.write_bytes(data)
    document = read(path)
    check(document)
    return document


def check(document: Document) -> None:
    """What holds of every document: blocks, notes and sentences are slices in order, and pages cover the text."""
    ends = [0, *(block.end for block in document.blocks)]
    assert all(ends[n] <= block.start < block.end for n, block in enumerate(document.blocks))
    assert all(document.text[a.end : b.start].strip() == "" for a, b in zip(document.blocks, document.blocks[1:], strict=False))
    assert document.blocks[-1].end == len(document.text)
    assert [span.start for span in document.pages] == [0, *(span.end for span in document.pages[:-1])]
    assert document.pages[-1].end == len(document.text)
    assert all(document.text[start:end].strip() for start, end in document.sentences)
    assert all(0 < anchor <= note.start < note.end for note in document.footnotes for anchor in note.anchors)


def lines(text: str, x: float = 72, y: float = 770, width: float = 440, font: str = SERIF, size: float = 11) -> Draw:
    """Text set in lines from (x, y) downwards, one and a fifth of its size apart."""
    return rows(simpleSplit(text, font, size, width), x, y, font, size)


def rows(texts: Sequence[str], x: float = 72, y: float = 770, font: str = SERIF, size: float = 11) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for n, text in enumerate(texts):
            canvas.drawString(x, y - 1.2 * size * n, text)

    return draw


def together(*draws: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def cells(table: Sequence[Sequence[str]], y: float, places: Sequence[float] = (72, 230, 320, 410), size: float = 11) -> Draw:
    return together(*(rows([cell], places[c], y - 16 * r, size=size) for r, row in enumerate(table) for c, cell in enumerate(row)))


def marked(before: str, number: str, after: str, y: float, x: float = 72) -> Draw:
    """A line with a raised, small figure in it."""

    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(x, y)
        text.setFont(SERIF, 11)
        text.textOut(before)
        text.setFont(SERIF, 7)
        text.setRise(4)
        text.textOut(number)
        text.setRise(0)
        text.setFont(SERIF, 11)
        text.textOut(after)
        canvas.drawText(text)

    return draw


def note(number: str, texts: Sequence[str], y: float) -> Draw:
    """A note in small type with its raised figure; further texts are further lines."""

    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, y)
        text.setFont(SERIF, 5.5)
        text.setRise(3)
        text.textOut(number)
        text.setRise(0)
        text.setFont(SERIF, 8.5)
        text.textOut(f" {texts[0]}")
        canvas.drawText(text)

    return together(draw, rows(texts[1:], y=y - 10.2, size=8.5))


def of_kind(document: Document, kind: str) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind == kind]


def removed(document: Document, kind: str) -> str:
    return "\n".join(change.removed for change in document.report if change.kind == kind)


def page_of(document: Document, words: str) -> Page | None:
    start = document.text.index(words)
    return document.locate(start, start + len(words)).page


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    """The left column comes first to its end, though the file draws the columns line by line across."""
    left = simpleSplit(HARBOUR * 3, SERIF, 10, 210)
    right = simpleSplit(BARGE * 3, SERIF, 10, 210)
    across = [
        rows([text], x, 740 - 12 * n, size=10)
        for n, pair in enumerate(zip(left, right, strict=False))
        for text, x in zip(pair, (72, 310), strict=True)
    ]
    document = written(tmp_path, drawn(together(lines("The Harbour and the Barge", size=18, y=790), *across)))
    assert document.text.rindex("Nobody had measured") < document.text.index("A barge had gone")
    assert "what the pilots had to say about the channel and its lights." in document.text
    assert "columns" in [change.kind for change in document.report]


def test_running_heads_and_page_numbers_are_left_out_and_reported(tmp_path: Path) -> None:
    """What comes back at the same height of most pages belongs to none of them; a number alone in a margin is the page's."""
    pages = [
        together(
            rows([f"Harbour Authority, Report {2018 + n}"], y=812, size=9),
            lines(f"Part {n} begins. {(HARBOUR, BARGE)[n % 2]}"),
            rows([f"- {n} -"], x=290, y=40, size=9),
        )
        for n in range(1, 6)
    ]
    document = written(tmp_path, drawn(*pages))
    assert "Harbour Authority" not in document.text
    assert "- 3 -" not in document.text
    assert removed(document, "running-heads").splitlines()[:2] == ["Harbour Authority, Report 2019", "- 1 -"]
    assert page_of(document, "Part 4 begins") == Page(4)


def test_text_that_every_page_begins_with_is_no_running_head(tmp_path: Path) -> None:
    """A running head stands apart from the text below it."""
    letter = "Dear members of the council of the harbour, this is what we ask of you in the name of all the pilots here:"
    pages = [rows([letter, *simpleSplit((HARBOUR, BARGE)[n % 2], SERIF, 11, 440)]) for n in range(5)]
    assert written(tmp_path, drawn(*pages)).text.count(letter) == 5


def test_a_footnote_is_lifted_out_and_tied_to_its_marker(tmp_path: Path) -> None:
    """The marker's place is the anchor, just behind its word; the note stands behind the prose, without its number."""
    page = together(
        lines(HARBOUR),
        marked("The pilots measured the channel", "1", " again in June and found it silted up at the bend.", 690),
        lines(BARGE, y=676),
        note("1", ["Port Authority, Depths of the Channel, 2019,", "p. 12, with a map."], 90),
    )
    document = written(tmp_path, drawn(page))
    assert "measured the channel again in June" in document.text
    (found,) = document.footnotes
    assert document.text[found.start : found.end] == "Port Authority, Depths of the Channel, 2019, p. 12, with a map."
    assert [document.text[:anchor].endswith("measured the channel") for anchor in found.anchors] == [True]
    assert document.blocks[-1] == Block("note", found.start, found.end)


def test_a_footnote_that_runs_over_a_page_break_is_one_note(tmp_path: Path) -> None:
    """Small type at the foot of a page goes on with the note of the page before, which had no end."""
    first = together(
        lines(HARBOUR),
        marked("The pilots measured the channel", "1", " again in June and found it silted up at the bend.", 690),
        note("1", ["Port Authority, Depths of the Channel, a report to"], 60),
    )
    second = together(
        lines(BARGE),
        marked("The barge", "2", " was towed to the yard and sold to a dealer from the north.", 690),
        rows(["the council, 2019, p. 12."], y=80, size=8.5),
        note("2", ["Barges, 2020."], 66),
    )
    document = written(tmp_path, drawn(first, second))
    texts = [document.text[n.start : n.end] for n in document.footnotes]
    assert texts == ["Port Authority, Depths of the Channel, a report to the council, 2019, p. 12.", "Barges, 2020."]
    assert [len(n.anchors) for n in document.footnotes] == [1, 1]
    assert page_of(document, "the council, 2019") == Page(2)


def test_notes_begin_anew_on_every_page(tmp_path: Path) -> None:
    """Two notes 1 on two pages are two notes, each tied to the marker of its own page."""
    pages = [
        together(
            lines(HARBOUR),
            marked(f"Ship {n} sank", "1", " in the night, and nobody on the quay saw it go down.", 690),
            note("1", [f"Log {n}."], 60),
        )
        for n in (1, 2)
    ]
    document = written(tmp_path, drawn(*pages))
    assert [document.text[: n.anchors[0]][-11:] for n in document.footnotes] == ["Ship 1 sank", "Ship 2 sank"]
    assert [document.text[n.start : n.end] for n in document.footnotes] == ["Log 1.", "Log 2."]


def test_an_exponent_is_no_marker(tmp_path: Path) -> None:
    """A raised figure to which no note answers stays, as a superscript."""
    document = written(
        tmp_path, drawn(together(lines(HARBOUR), marked("The basin has 40 km", "2", " of water at high tide in the spring.", 690)))
    )
    assert "40 km² of water" in document.text
    assert document.footnotes == ()


def test_offsets_have_the_physical_and_the_printed_page(tmp_path: Path) -> None:
    """The front matter is numbered i, ii; the third page is printed 1."""

    def labels(canvas: Canvas) -> None:
        canvas.addPageLabel(0, style="ROMAN_LOWER", start=1)
        canvas.addPageLabel(2, style="ARABIC", start=1)

    texts = {"one": HARBOUR, "two": BARGE, "three": HARBOUR}
    document = written(tmp_path, drawn(*(lines(f"Page {name}. {text}") for name, text in texts.items()), canvas=labels))
    assert [page_of(document, f"Page {name}") for name in texts] == [Page(1, "i"), Page(2, "ii"), Page(3, "1")]


def test_a_table_is_kept_as_rows_of_cells(tmp_path: Path) -> None:
    """Each row is a line of its table block, cells with bars between, the row of column heads first."""
    table = [
        ["", "2019", "2020", "2021"],
        ["Rotterdam", "14.8", "14.3", "15.3"],
        ["Antwerp*", "11.9", "12.0", "12.0"],
        ["Hamburg", "9.3", "8.5", "8.7"],
    ]
    document = written(
        tmp_path, drawn(together(lines(HARBOUR), rows(["Table 1: Containers"], y=660), cells(table, 640), lines(BARGE, y=540)))
    )
    assert of_kind(document, "table") == [
        "2019 | 2020 | 2021\nRotterdam | 14.8 | 14.3 | 15.3\nAntwerp* | 11.9 | 12.0 | 12.0\nHamburg | 9.3 | 8.5 | 8.7"
    ]
    assert of_kind(document, "caption") == ["Table 1: Containers"]
    row = document.text.index("Antwerp*")
    assert next(document.text[a:b] for a, b in document.sentences if a == row) == "Antwerp* | 11.9 | 12.0 | 12.0"


def test_dots_that_lead_to_a_figure_part_cells(tmp_path: Path) -> None:
    """Leader dots in a table are no text; they stand between two cells."""
    texts = [
        ["Rotterdam . . . . . . . . . . . .", "14.8", "14.3"],
        ["Antwerp . . . . . . . . . . . . .", "11.9", "12.0"],
        ["Hamburg . . . . . . . . . . . . .", "9.3", "8.5"],
    ]
    document = written(tmp_path, drawn(together(lines(HARBOUR), cells(texts, 640), lines(BARGE, y=540))))
    assert of_kind(document, "table") == ["Rotterdam | 14.8 | 14.3\nAntwerp | 11.9 | 12.0\nHamburg | 9.3 | 8.5"]


def test_contents_are_removed_and_reported(tmp_path: Path) -> None:
    """Entries whose dots lead to rising page numbers are no text of the document."""
    entries = [f"{title} {'. ' * 40}{page}" for title, page in (("Aims", 2), ("The channel", 5), ("The barge", 9), ("Costs", 12))]
    document = written(tmp_path, drawn(together(rows(["Contents"], font=BOLD, size=14), rows(entries, y=740)), lines(HARBOUR)))
    assert "The channel" not in document.text
    assert "The channel 5" in removed(document, "contents")


def test_a_word_divided_at_the_end_of_a_line_or_page_is_whole(tmp_path: Path) -> None:
    """Its hyphen goes; a hyphen before a capital, behind initials, or in an address stays."""
    first = rows(
        [
            "The pilots of the harbour asked the members of the council to dredge the chan-",
            "nel before the autumn, and to mark the Rhine-",
            "Main canal with new lights, as the treaty asks, see https://port.example/deep-",
            "water for it. The NATO-",
            "led exercise of the following spring was to use it, says the ANNI-",
            "VERSARY report of the year, with all its ships and those of the allies, and the autho-",
        ]
    )
    document = written(
        tmp_path, drawn(first, rows(["rity had promised as much to the pilots and to the owners of the barges in the port."]))
    )
    for word in ("the channel before", "Rhine-Main", "/deep-water", "NATO-led", "ANNIVERSARY", "the authority had promised"):
        assert word in document.text


def test_a_paragraph_over_a_page_break_is_one(tmp_path: Path) -> None:
    """The sentence goes on; each half keeps its page, and running feet between them do not part it."""
    text = simpleSplit(HARBOUR, SERIF, 11, 440)
    foot = rows(["12"], x=290, y=40)
    document = written(tmp_path, drawn(together(rows(text[:2], y=120), foot), together(rows(text[2:], y=770), foot)))
    assert of_kind(document, "paragraph") == [HARBOUR.strip()]
    assert page_of(document, "The council met") == Page(1)
    assert page_of(document, text[2]) == Page(2)


def test_lines_that_end_early_stay_apart(tmp_path: Path) -> None:
    """A line that had room for the next word ended on purpose: addresses and signatures are no prose."""
    document = written(
        tmp_path, drawn(together(lines(HARBOUR), rows(["Eva Lind, chair of the council", "Harbour Street 4", "Malmo"], y=600)))
    )
    assert of_kind(document, "paragraph")[1:] == ["Eva Lind, chair of the council", "Harbour Street 4", "Malmo"]


def test_headings_have_levels_by_size(tmp_path: Path) -> None:
    """Type larger than the body's makes a heading, the larger the higher; the first of the first page is the title."""
    page = together(
        rows(["The State of the Harbour"], y=790, size=22),
        rows(["The channel"], y=750, size=16),
        lines(HARBOUR, y=725),
        rows(["Depth"], y=640, size=13),
        lines(BARGE, y=620),
    )
    document = written(tmp_path, drawn(page))
    found = [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "heading"]
    assert found == [(0, "The State of the Harbour"), (2, "The channel"), (3, "Depth")]
    assert document.title == "The State of the Harbour"
    barge = document.text.index("A barge")
    assert document.locate(barge, barge + 7).headings == ("The channel", "Depth")


def test_headings_have_levels_by_the_outline(tmp_path: Path) -> None:
    """A line that the file's outline names is a heading of the outline's level, whatever its type."""

    def page(canvas: Canvas) -> None:
        rows(["The Harbour"], y=790, size=20)(canvas)
        for n, (title, level) in enumerate((("Aims", 0), ("Small aims", 1))):
            canvas.bookmarkPage(title)
            canvas.addOutlineEntry(title, title, level)
            rows([title], y=750 - 150 * n)(canvas)
            lines(HARBOUR, y=730 - 150 * n)(canvas)

    document = written(tmp_path, drawn(page))
    assert [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "heading"][1:] == [
        (1, "Aims"),
        (2, "Small aims"),
    ]


def test_lists_are_items(tmp_path: Path) -> None:
    """Numbers, letters and bullets begin items; an item goes on in its indented lines, and what follows in the margin is prose."""
    page = together(
        lines(HARBOUR),
        rows(["1. Ask the pilots of the northern harbour what they think of the"], y=690),
        rows(["new lights."], x=86, y=676),
        rows(["2. Dredge."], y=662),
        rows(["(a) First below the bridge;"], y=648),
        rows(["\u2022 and before the storms."], y=634),
        rows(["After that the council will meet again."], y=600),
    )
    document = written(tmp_path, drawn(page))
    assert of_kind(document, "list_item") == [
        "1. Ask the pilots of the northern harbour what they think of the new lights.",
        "2. Dredge.",
        "(a) First below the bridge;",
        "and before the storms.",
    ]
    assert of_kind(document, "paragraph")[-1] == "After that the council will meet again."


def test_a_page_on_its_side_reads_like_any_other(tmp_path: Path) -> None:
    """Lines are measured in their own direction."""

    def sideways(canvas: Canvas) -> None:
        canvas.translate(WIDTH, 0)
        canvas.rotate(90)
        together(lines(HARBOUR, y=500), cells([["", "2019", "2020", "2021"], ["Antwerp", "11.9", "12.0", "12.1"]], 400))(canvas)

    document = written(tmp_path, drawn(sideways))
    assert document.text == f"{HARBOUR.strip()}\n\n2019 | 2020 | 2021\nAntwerp | 11.9 | 12.0 | 12.1"


def test_a_watermark_is_left_out_and_reported(tmp_path: Path) -> None:
    """Large slanted type across a page is stamped on it."""

    def stamp(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(150, 400)
        canvas.rotate(45)
        rows(["RESTRICTED"], 0, 0, size=60)(canvas)
        canvas.restoreState()

    document = written(tmp_path, drawn(together(stamp, lines(HARBOUR))))
    assert document.text == HARBOUR.strip()
    assert removed(document, "watermarks") == "RESTRICTED"


def typed(text: str) -> bytes:
    """A PDF in a font of its own encoding: every letter has a code, and a table says which letter it is."""
    codes = {letter: 33 + n for n, letter in enumerate(dict.fromkeys(text))}
    table = "\n".join(f"<{code:02x}> <{letter.encode('utf-16-be').hex()}>" for letter, code in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{table}\nendbfchar endcmap end"
    )
    shown = "".join(f"{codes[letter]:02x}" for letter in text)
    content = f"BT /F1 12 Tf 72 700 Td <{shown}> Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 33 /LastChar {32 + len(codes)} "
        f"/Widths [{' '.join(['500'] * len(codes))}] /ToUnicode 6 0 R >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream",
    ]
    data, places = b"%PDF-1.4\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{n} 0 obj\n{body}\nendobj\n".encode()
    entries = "".join(f"{place:010} 00000 n \n" for place in places)
    return data + f"xref\n0 7\n0000000000 65535 f \n{entries}trailer << /Size 7 /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n".encode()


def test_czech_and_greek_letters_are_read(tmp_path: Path) -> None:
    """Letters come from the font's own table."""
    text = "Příliš žluťoučký kůň, Ευρώπη."
    assert written(tmp_path, typed(text)).text == text


def test_ligatures_and_soft_hyphens_are_mended(tmp_path: Path) -> None:
    """A ligature is spelt out, a no-break space is plain, and a soft hyphen that is drawn is a hyphen."""
    document = written(tmp_path, typed("of\ufb01ce\u00a0of well\u00adknown \ufb02ags"))
    assert document.text == "office of well-known flags"


def locked(data: bytes, password: str) -> bytes:
    writer, target = pypdf.PdfWriter(clone_from=io.BytesIO(data)), io.BytesIO()
    writer.encrypt(password, "owner", algorithm="RC4-128")
    writer.write(target)
    return target.getvalue()


def test_a_file_locked_by_an_empty_password_opens(tmp_path: Path) -> None:
    """Its outline and metadata too."""
    document = written(tmp_path, locked(drawn(lines(HARBOUR), canvas=lambda c: c.setTitle("The Harbour")), ""))
    assert document.text == HARBOUR.strip()
    assert document.title == "The Harbour"


def test_a_file_with_a_password_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """The error names the file and what takes the lock off."""
    with pytest.raises(UnreadableDocument, match=r"report\.pdf asks for a password\. Remove it.*qpdf --decrypt"):
        written(tmp_path, locked(drawn(lines(HARBOUR)), "secret"))


def test_a_scan_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """Pages without letters need recognition; the error says by what."""
    with pytest.raises(UnreadableDocument, match=r"report\.pdf holds no text on its 2 pages.*ocrmypdf report\.pdf"):
        written(tmp_path, drawn(*[lambda canvas: canvas.rect(100, 100, 200, 300, fill=1)] * 2))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"<html><body>Not found</body></html>", "is no PDF, whatever its name says"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 8, "is damaged"),
    ],
)
def test_a_file_that_is_no_whole_pdf_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    """Each reason has its own words, and the advice to fetch the file again."""
    with pytest.raises(UnreadableDocument, match=rf"report\.pdf {reason}.*Fetch it again"):
        written(tmp_path, data)


def test_a_file_without_its_table_of_objects_is_read(tmp_path: Path) -> None:
    """What can be put together again is."""
    data = drawn(lines(HARBOUR))
    assert written(tmp_path, data.replace(b"xref\n0", b"xxxx\n0")).text == HARBOUR.strip()


def test_a_file_whose_trailer_names_no_root_is_put_together_anew(tmp_path: Path) -> None:
    """PDFium refuses such a file; pypdf finds the catalogue, and the report says so."""
    data = drawn(lines(HARBOUR))
    document = written(tmp_path, data.replace(b"/Root", b"/Toor"))
    assert document.text == HARBOUR.strip()
    assert "repaired" in [change.kind for change in document.report]


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the number and the limit."""
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    with pytest.raises(UnreadableDocument, match=r"has 3 pages; at most 2 are read\. Split it"):
        written(tmp_path, drawn(*[lines(HARBOUR)] * 3))


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read."""
    monkeypatch.setattr(pdf, "MAX_BYTES", 100)
    with pytest.raises(UnreadableDocument, match="at most 100 are read"):
        written(tmp_path, drawn(lines(HARBOUR)))


def test_metadata_become_the_work(tmp_path: Path) -> None:
    """Title, author and date of the file; a program's or a file's name is no title."""

    def metadata(canvas: Canvas) -> None:
        canvas.setTitle("Depths of the Channel")
        canvas.setAuthor("Port Authority")

    document = written(tmp_path, drawn(lines(HARBOUR), canvas=metadata))
    assert (document.work["title"], document.work["author"]) == ("Depths of the Channel", [{"literal": "Port Authority"}])
    assert len(document.work["issued"]["date-parts"][0]) == 3
    heading = together(rows(["Depths"], y=800, size=20), lines(HARBOUR))
    assert written(tmp_path, drawn(heading, canvas=lambda c: c.setTitle("Microsoft Word - a.doc"))).title == "Depths"


def test_the_same_words_at_the_head_of_the_next_page_stay(tmp_path: Path) -> None:
    """Where the pages themselves are read, a repeated paragraph is the author's, not a converter's."""
    document = written(tmp_path, drawn(lines(HARBOUR), lines(HARBOUR)))
    assert document.text.count("Nobody had measured the depth") == 2


def test_control_characters_in_a_page_that_pypdf_read_are_mended() -> None:
    """They are ASCII, like letters; a stretch of nothing else is gone."""
    line = pdf._mended(plain_lines("The\x08 har\x00bour\x1b", 1, 10.0)[0])
    assert line.text == "The harbour"
    assert pdf._mended(plain_lines("\x00\x01", 1, 10.0)[0]).fragments == ()
