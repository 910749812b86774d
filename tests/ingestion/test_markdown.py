"""What Markdown adds: front matter, tables, quotations, soft line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.ingestion.readers import read
from eunato_rag.records import Document


def written(folder: Path, text: str) -> Document:
    path = folder / "page.md"
    path.write_text(text, "utf-8")
    return read(path)


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def test_front_matter_is_the_record_and_no_text(tmp_path: Path) -> None:
    """Title, author, date and address are read as bibliographic fields; the report says so."""
    fields = 'title: "Remarks on\\_the Channel"\nauthor: Eva Lind\ndate: 2024-07-09\nsource_url: https://port.example/remarks\n'
    document = written(tmp_path, f"---\n{fields}---\n\nGood evening.\n")
    assert document.text == "Good evening."
    assert document.work["author"] == [{"literal": "Eva Lind"}]
    assert document.work["issued"] == {"date-parts": [[2024, 7, 9]]}
    assert document.work["URL"] == "https://port.example/remarks"
    assert "front-matter-fields" in [change.kind for change in document.report]


def test_front_matter_that_is_no_yaml_is_text(tmp_path: Path) -> None:
    """Nothing is lost."""
    assert "a: b: c" in written(tmp_path, "---\na: b: c\n---\n\nGood evening.\n").text


def test_lines_of_a_paragraph_belong_together(tmp_path: Path) -> None:
    """However long they are; two spaces at the end break the line."""
    document = written(tmp_path, "One line\nand its end.\n\nFirst  \nSecond\n\nThey work together\n– with others – today.\n")
    assert kinds(document) == [
        ("paragraph", "One line and its end."),
        ("paragraph", "First"),
        ("paragraph", "Second"),
        ("paragraph", "They work together – with others – today."),
    ]


def test_a_table_is_rows_of_cells(tmp_path: Path) -> None:
    """The rule under the head is gone, and each row is a sentence that can be quoted."""
    document = written(tmp_path, "# T\n\n| Port | Depth |\n|------|------:|\n| *Lindholm* | 14 m |\n| Torp | 9 m |\n\nAfter.\n")
    assert kinds(document)[1] == ("table", "Port | Depth\nLindholm | 14 m\nTorp | 9 m")
    start = document.text.index("Torp")
    assert (start, start + 10) in document.sentences
    assert [document.text[a:b] for a, b in document.table_head(start)] == ["T", "Port | Depth"]


def test_quotations_rules_fences_and_images_leave_their_words(tmp_path: Path) -> None:
    """Marks go, and so does what is no text."""
    text = '> Quoted words.\n\n***\n\n```\ncode stays\n```\n\n<img\nsrc="x.jpg" alt="y" />\n\nTitle\n=====\n\nEnd.\n'
    assert kinds(written(tmp_path, text)) == [
        ("paragraph", "Quoted words."),
        ("paragraph", "code stays"),
        ("heading", "Title"),
        ("paragraph", "End."),
    ]


def test_a_table_needs_no_outer_bars_and_plain_text_has_none(tmp_path: Path) -> None:
    """In Markdown `a | b | c` is a row; in a text file a bar is a character."""
    rows = "Port | Depth | Year\n--- | --- | ---\nTorp | 9 m | 2020\n"
    assert kinds(written(tmp_path, f"# T\n\n{rows}"))[1] == ("table", "Port | Depth | Year\nTorp | 9 m | 2020")
    plain = tmp_path / "page.txt"
    plain.write_text("The marks |a|b|c| stand for the three berths of the old harbour.\n")
    assert [b.kind for b in read(plain).blocks] == ["paragraph"]


def test_front_matter_with_the_line_ends_of_windows(tmp_path: Path) -> None:
    """It is front matter like any other."""
    document = written(tmp_path, "---\r\ntitle: Remarks\r\n---\r\n\r\nGood evening.\r\n")
    assert (document.title, document.text) == ("Remarks", "Good evening.")


@pytest.mark.parametrize("fields", ["date: 2024-02-31", f"n: {'9' * 5000}", "a: " + "[" * 5000, "a: b: c"])
def test_front_matter_that_cannot_be_read_is_text(tmp_path: Path, fields: str) -> None:
    """A day that no month has, a number without end, lists nested without end."""
    document = written(tmp_path, f"---\n{fields}\n---\n\nGood evening.\n")
    assert document.text.endswith("Good evening.")
    assert "read as text" in document.report[0].detail


def test_values_that_refer_to_each_other_are_not_spelt_out(tmp_path: Path) -> None:
    """Twenty lists, each of ten times the one before, are a few lines; as text they would fill any memory."""
    bomb = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]" for n in range(20))
    document = written(tmp_path, f"---\n{bomb}\ntitle: *a19\ndate: *a19\nauthor: *a19\n---\n\nGood evening.\n")
    assert document.work == {"id": "page", "type": "document", "title": "page"}


def test_half_of_a_character_in_a_field_is_no_half_in_the_record(tmp_path: Path) -> None:
    """YAML can write what no file can hold; two halves are one character."""
    document = written(tmp_path, '---\ntitle: "Har\\ud800bour \\ud83d\\ude00"\n---\n\nGood evening.\n')
    assert document.title == "Har\ufffdbour \U0001f600"


def test_what_an_entity_stands_for_is_mended_like_other_characters(tmp_path: Path) -> None:
    """A line break is a space, a soft hyphen nothing, an accent belongs to its letter."""
    assert written(tmp_path, "One&#10;two&nbsp;har&shy;bour cafe&#x301; &#0;end.").text == "One two harbour café \ufffdend."


def test_rows_and_notes_without_a_word_are_no_blocks(tmp_path: Path) -> None:
    document = written(tmp_path, "Words here.\n\n| | |\n\n[^1]: <b></b>\n")
    assert kinds(document) == [("paragraph", "Words here.")]


def test_comments_that_nothing_closes_are_text(tmp_path: Path) -> None:
    """A closed one before or behind is left out all the same."""
    document = written(tmp_path, "One <!-- a\nb --> two <svg> three <!-- c --> four <!-- five.\n")
    assert document.text == "One two <svg> three four <!-- five."
