"""What Markdown adds: front matter, tables, quotations, soft line ends."""

from __future__ import annotations

from pathlib import Path

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
