"""Locating: page, section and paragraph looked up from an offset."""

from __future__ import annotations

from eunato_rag.records import Block, Document, Footnote, Page, PageSpan

TEXT = "Title\n\nOne\n\nAlpha.\n\nBeta.\n\nDeep\n\nGamma.\n\nTwo\n\nDelta.\n\nA note."
KINDS = [
    ("heading", 0),
    ("heading", 1),
    ("paragraph", 0),
    ("paragraph", 0),
    ("heading", 2),
    ("paragraph", 0),
    ("heading", 1),
    ("paragraph", 0),
    ("note", 0),
]


def document() -> Document:
    blocks, start = [], 0
    for part, (kind, level) in zip(TEXT.split("\n\n"), KINDS, strict=True):
        blocks.append(Block(kind, start, start + len(part), level))  # type: ignore[arg-type]
        start += len(part) + 2
    gamma, note = TEXT.index("Gamma"), TEXT.index("A note.")
    pages = (PageSpan(0, gamma, Page(1, "i")), PageSpan(gamma, len(TEXT), Page(2, "ii")))
    return Document("d", "d.txt", "0", {}, TEXT, tuple(blocks), pages, (Footnote(1, (gamma + 6,), note, len(TEXT)),))


def test_headings_and_paragraphs_are_looked_up_at_the_place() -> None:
    """Paragraphs count from 1 in each section; headings come outermost first, without the title."""
    doc = document()
    places = {word: doc.locate(TEXT.index(word), TEXT.index(word) + 4) for word in ("Alpha", "Beta", "Gamma", "Delta", "Deep")}
    assert {w: (p.headings, p.paragraph) for w, p in places.items()} == {
        "Alpha": (("One",), 1),
        "Beta": (("One",), 2),
        "Gamma": (("One", "Deep"), 1),
        "Delta": (("Two",), 1),
        "Deep": (("One", "Deep"), None),
    }


def test_the_page_is_the_one_of_the_place() -> None:
    """Not of the start of something around it."""
    doc = document()
    assert doc.locate(0, 5).page == Page(1, "i")
    assert doc.locate(TEXT.index("Delta"), len(TEXT)).page == Page(2, "ii")


def test_a_note_is_located_where_its_marker_stands() -> None:
    """Its own text stands behind the prose, where no section is."""
    place = document().locate(TEXT.index("A note."), len(TEXT))
    assert (place.headings, place.paragraph) == (("One", "Deep"), 1)


def test_a_marker_belongs_to_the_sentence_that_it_ends() -> None:
    """start < anchor <= end."""
    doc = document()
    gamma = TEXT.index("Gamma")
    assert [n.number for n in doc.footnotes_in(gamma, gamma + 6)] == [1]
    assert doc.footnotes_in(gamma + 6, gamma + 12) == ()


def test_a_row_is_understood_by_caption_first_row_and_the_heading_of_its_part() -> None:
    """The captions directly above the table, its first row, and the last row of one cell above; other blocks do not count."""
    parts = [
        ("paragraph", "Words."),
        ("caption", "Table 1: Depths"),
        ("caption", "in metres"),
        ("table", "Port | 2019 | 2020\nNorth\nTorp | 9 | 10\nSouth\nLindholm | 13 | 14"),
    ]
    blocks, sentences, text = [], [], ""
    for kind, part in parts:
        start = len(text)
        blocks.append(Block(kind, start, start + len(part)))  # type: ignore[arg-type]
        for row in part.split("\n"):
            sentences.append((len(text), len(text) + len(row)))
            text += row + "\n"
        text += "\n"
    doc = Document("d", "d.txt", "0", {}, text, tuple(blocks), sentences=tuple(sentences))
    head = [text[a:b] for a, b in doc.table_head(text.index("Lindholm"))]
    assert head == ["Table 1: Depths", "in metres", "Port | 2019 | 2020", "South"]
    assert [text[a:b] for a, b in doc.table_head(text.index("Port"))] == ["Table 1: Depths", "in metres"]
    assert doc.table_head(0) == ()
