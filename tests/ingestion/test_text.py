"""Plain text and Markdown as converters leave it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import find_overlap, mend_characters
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.readers.text import parse
from eunato_rag.records import Document


def written(folder: Path, text: str | bytes, name: str = "note.txt") -> Document:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


LONG = "The council met in the old hall to hear what the pilots had to say about the channel and its lights"


def test_a_hard_wrapped_paragraph_is_one_line(tmp_path: Path) -> None:
    """Lines that end where the next word would not have fitted belong together, and a hyphen at the end is joined."""
    document = written(
        tmp_path, "The pilots asked the council to dredge the chan-\nnel before the autumn storms, and the council\nagreed to it.\n"
    )
    assert document.text == "The pilots asked the council to dredge the channel before the autumn storms, and the council agreed to it."


def test_short_lines_stay_apart(tmp_path: Path) -> None:
    """A line that had room for the next word ended on purpose."""
    document = written(tmp_path, f"{LONG}.\n\nEva Lind\nMay 2020\n\n{LONG}.\n")
    assert ("paragraph", "Eva Lind") in kinds(document)
    assert ("paragraph", "May 2020") in kinds(document)


def test_markdown_headings_have_levels(tmp_path: Path) -> None:
    """A single first-level heading is the title; the second level are the sections."""
    document = written(tmp_path, "# Title\n\nText here.\n\n## One\n\nMore.\n\n### Deep\n\nEnd.\n", "a.md")
    assert [(b.kind, b.level) for b in document.blocks if b.kind == "heading"] == [("heading", 0), ("heading", 1), ("heading", 2)]
    end = document.text.index("End.")
    assert document.locate(end, end + 4).headings == ("One", "Deep")
    assert document.title == "Title"


def test_a_numbered_heading_is_told_from_a_numbered_list(tmp_path: Path) -> None:
    """`1. Aims` before prose is a heading; `1.` to `3.` in a row are a list, also across blank lines."""
    text = f"Report\n\n1. Aims\n\n{LONG}. It was late.\n\nThe steps:\n\n1. Ask the pilots.\n2. Dredge.\n\n3. Measure the depth.\n"
    found = kinds(written(tmp_path, text))
    assert ("heading", "1. Aims") in found
    assert [t for kind, t in found if kind == "list_item"] == ["1. Ask the pilots.", "2. Dredge.", "3. Measure the depth."]


def test_markdown_footnotes_are_lifted_like_superscripts(tmp_path: Path) -> None:
    """`[^1]` in the prose and `[^1]:` at a line's start are marker and note."""
    document = written(tmp_path, "# T\n\nThe channel is deep[^1] and wide.\n\n[^1]: Port Authority, *Depths*, 2019.\n", "a.md")
    assert "deep and wide." in document.text
    (note,) = document.footnotes
    assert document.text[note.start : note.end] == "Port Authority, Depths, 2019."
    assert document.text[: note.anchors[0]].endswith("deep")


def test_an_exponent_is_no_footnote_marker(tmp_path: Path) -> None:
    """`km²` keeps its exponent though there is a second note; a year may carry a marker."""
    text = f"{LONG}: 40 km² of water in 2016² and a bar¹ of sand.\n\n¹ First, Note, 2019\n\n² Second, Note, 2020\n"
    document = written(tmp_path, text)
    assert "40 km² of water in 2016 and a bar of sand." in document.text
    assert [len(note.anchors) for note in document.footnotes] == [1, 1]


def test_a_superscript_without_a_note_stays(tmp_path: Path) -> None:
    """What refers to nothing is text."""
    assert "title³" in written(tmp_path, f"{LONG} under the title³ of the day.\n").text


def test_a_note_without_a_marker_is_reported(tmp_path: Path) -> None:
    """Nothing is tied by guessing."""
    document = written(tmp_path, f"{LONG}.\n\n¹ A note nobody refers to, 2019\n")
    assert document.footnotes[0].anchors == ()
    assert "note-without-marker" in [change.kind for change in document.report]


def test_a_sentence_cut_by_notes_is_whole_again(tmp_path: Path) -> None:
    """A paragraph without an end goes on in the next that begins in lower case."""
    text = f"{LONG}. The barge¹ was towed\n\n¹ Barges, 2019\n\nto the yard in Malmo.\n"
    assert "The barge was towed to the yard in Malmo." in written(tmp_path, text).text


def test_a_lone_asterisk_is_a_character(tmp_path: Path) -> None:
    """Emphasis comes in pairs; identifiers keep their underscores, addresses theirs."""
    document = written(tmp_path, "Here 5 * 3 is fifteen, some_file_name stays, and so does https://port.example/a_b_c. *Yes*, __truly__.\n")
    assert document.text.endswith("some_file_name stays, and so does https://port.example/a_b_c. Yes, truly.")
    assert "5 * 3" in document.text
    assert document.links[0].target == "https://port.example/a_b_c"


def test_ligatures_and_invisible_characters_are_mended_and_reported(tmp_path: Path) -> None:
    """The words are the same; the report says how many characters changed."""
    document = written(tmp_path, "The of\ufb01ce\u00a0was ef\u00adfi\u200bcient, and Tu\u0308rkiye agreed.\n")
    assert document.text == "The office was efficient, and Türkiye agreed."
    assert {"ligatures", "invisible", "spaces", "unicode"} <= {change.kind for change in document.report}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_text_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """A byte order mark, valid UTF-8, or the letters themselves say how to read the bytes."""
    text = "Příliš žluťoučký kůň úpěl ďábelské ódy. Ministerstvo obrany předložilo vládě zprávu o stavu ozbrojených sil. " * 8
    assert "žluťoučký kůň" in written(tmp_path, text.encode(encoding)).text


@pytest.mark.parametrize("data", [b"", b"  \n\n \t\n"])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    """The error names the file and what to do."""
    with pytest.raises(UnreadableDocument, match=r"note\.txt is empty\. Remove it"):
        written(tmp_path, data)


def test_a_binary_file_named_txt_is_refused(tmp_path: Path) -> None:
    """Control bytes are no text, whatever the suffix says."""
    with pytest.raises(UnreadableDocument, match="no text"):
        written(tmp_path, bytes(range(256)) * 20)


def test_an_unknown_type_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The error lists what can be read."""
    with pytest.raises(UnreadableDocument, match=r"no reader for type \.xyz.*\.txt"):
        written(tmp_path, "text", "a.xyz")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """The reason of the operating system is passed on."""
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(UnreadableDocument, match=r"a\.txt cannot be opened"):
        read(tmp_path / "a.txt")


SENTENCE = "The port authority found that the channel was two metres less deep than the charts had said for years."


@pytest.mark.parametrize(
    ("second", "differences"),
    [
        (SENTENCE, ()),
        (SENTENCE.replace("found", "had found"), ("had",)),
        (SENTENCE.replace("the charts", "the “charts”"), ()),
    ],
)
def test_an_overlap_is_found_to_the_letter_or_nearly(second: str, differences: tuple[str, ...]) -> None:
    """The end of one text and the start of the next say the same, quotation marks and a word aside."""
    found = find_overlap(f"It was a surprise. {SENTENCE}", f"{second} Nobody was blamed.")
    assert found is not None
    assert (found.start, found.differences) == (19, differences)
    assert f"{second} Nobody was blamed."[: found.end] == second


@pytest.mark.parametrize(
    "after",
    [
        "The port authority found that the barge was late and nobody had asked the pilots about it before then.",
        "The port authority found that the channel was deep.",
        "Nobody was blamed. " + SENTENCE,
    ],
)
def test_a_like_beginning_is_no_overlap(after: str) -> None:
    """An author may begin two sentences alike; only the whole tail said again counts."""
    assert find_overlap(f"It was a surprise. {SENTENCE}", after) is None


@given(st.lists(st.text("abcdeé *_[](){}<>#¹²\\/.,:-–“”\n", min_size=1, max_size=60), min_size=1, max_size=12))
def test_any_text_keeps_its_words(parts: list[str]) -> None:
    """Whatever the markup, the letters of the source stand in the text or in the report."""
    source = "\n\n".join(parts)
    drafts, changes = parse(source)
    body = "".join(d.prose.text for d in drafts)
    removed = "".join(change.removed for change in changes)
    assert sorted(re.findall("[abcdeé]", body + removed)) == sorted(re.findall("[abcdeé]", source))


@pytest.mark.parametrize("piece", ["a", ".", "_", "<!--", "a\n"])
def test_the_time_of_reading_grows_with_the_text(tmp_path: Path, piece: str) -> None:
    """Not with its square: a hundred thousand characters of one kind take a second or two, where they took minutes."""
    began = time.process_time()
    document = written(tmp_path, "x" + piece * (100_000 // len(piece)) + "y", "note.md")
    assert document.text.startswith("x")
    assert time.process_time() - began < 20


def test_halves_of_characters_are_put_together_or_replaced() -> None:
    """No file can hold one; the report says that there were some."""
    text, changes = mend_characters("a\ud83d\ude00 b\ud800 c")
    assert (text, [change.kind for change in changes]) == ("a\U0001f600 b\ufffd c", ["surrogates"])


@pytest.mark.parametrize(
    ("text", "tied"),
    [
        ("One.¹ Two.²\n\n¹ a\n² b\n\nThree.¹ Four.²\n\n¹ c\n² d\n", {"a": "One.", "b": "Two.", "c": "Three.", "d": "Four."}),
        ("One.¹ Two.²\n\nThree.¹ Four.²\n\n¹ a\n² b\n¹ c\n² d\n", {"a": "One.", "b": "Two.", "c": "Three.", "d": "Four."}),
        ("One.¹ Two.¹\n\n¹ a\n\nThree.¹\n\n¹ c\n", {"a": "One. Two.", "c": "Three."}),
        ("One.¹\n\n¹ a\n\nTwo.\n\n¹ b\n\nThree.¹ Four.¹\n", {"a": "One.", "b": "Three. Four."}),
    ],
    ids=["below each page", "all at the end", "one of them twice", "one without a marker"],
)
def test_notes_whose_numbers_begin_anew_belong_to_their_own_markers(tmp_path: Path, text: str, tied: dict[str, str]) -> None:
    """Not each of them to every marker of that number."""
    document = written(tmp_path, text)
    found = {
        document.text[note.start : note.end]: " ".join(document.text[slice(*(document.sentence_at(a) or (0, 0)))] for a in note.anchors)
        for note in document.footnotes
    }
    assert found == tied
