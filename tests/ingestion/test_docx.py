"""Word documents: made with python-docx where it can, as raw XML where it cannot."""

from __future__ import annotations

import datetime
import zipfile
from io import BytesIO
from pathlib import Path

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.readers.docx import read
from eunato_rag.records import Document

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
RELATIONSHIP = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def relationships(*entries: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(entries)}</Relationships>'


def relationship(key: str, kind: str, target: str, mode: str = "Internal") -> str:
    return f'<Relationship Id="{key}" Type="{RELATIONSHIP}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def packed(body: str, links: tuple[str, ...] = (), **parts: str) -> bytes:
    """A DOCX of raw XML; `parts` are the inner XML of footnotes, endnotes, numbering and styles."""
    files = {
        "_rels/.rels": relationships(relationship("r1", "officeDocument", "word/document.xml")),
        "word/document.xml": f"<w:document {W} {R} {MC}><w:body>{body}<w:sectPr/></w:body></w:document>",
        "word/_rels/document.xml.rels": relationships(*(relationship(f"p{n}", n, f"{n}.xml") for n in parts), *links),
        **{f"word/{name}.xml": f"<w:{name} {W} {R}>{inner}</w:{name}>" for name, inner in parts.items()},
    }
    return zipped(files)


def zipped(files: dict[str, str]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def written(folder: Path, data: bytes, name: str = "report.docx") -> Document:
    (folder / name).write_bytes(data)
    return read(folder / name)


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner if inner.startswith('<') else run(inner)}</w:p>"


def numbered(text: str, level: int, list_id: int = 1) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def kinds(document: Document) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def notes(document: Document) -> list[tuple[int, list[str], str]]:
    """Number, the words before each marker, text."""
    return [(n.number, [document.text[:a].split("\n")[-1] for a in n.anchors], document.text[n.start : n.end]) for n in document.footnotes]


def removed(document: Document, kind: str) -> str:
    return next(change.removed for change in document.report if change.kind == kind)


def test_a_document_as_word_writes_it(tmp_path: Path) -> None:
    """Title, headings, paragraphs, bullets, captions and tables are told by their styles; Czech and Greek letters stay."""
    source = docx.Document()
    source.add_heading("Přístav Tünn", 0)
    source.add_heading("Historie", 1)
    source.add_paragraph("Žluťoučký kůň. ").add_run("Πλοία στο λιμάνι.").bold = True
    source.add_heading("Doky", 3)
    source.add_paragraph("north", style="List Bullet")
    source.add_paragraph("dredge", style="List Number")
    source.add_paragraph("measure", style="List Number")
    source.add_paragraph("Table 1: Depths", style="Caption")
    table = source.add_table(3, 3)
    for row, texts in zip(table.rows, (("Year", "Depth", ""), ("2019", "3", "4"), ("", "5", "6")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    source.save(str(tmp_path / "a.docx"))
    assert kinds(read(tmp_path / "a.docx")) == [
        ("heading", 0, "Přístav Tünn"),
        ("heading", 1, "Historie"),
        ("paragraph", 0, "Žluťoučký kůň. Πλοία στο λιμάνι."),
        ("heading", 2, "Doky"),
        ("list_item", 1, "north"),
        ("list_item", 1, "1. dredge"),
        ("list_item", 1, "2. measure"),
        ("caption", 0, "Table 1: Depths"),
        ("table", 0, "Year | Depth | Depth\n2019 | 3 | 4\n2019 | 5 | 6"),
    ]


def test_core_properties_make_the_work_record(tmp_path: Path) -> None:
    """Title, authors, date and language; the title printed in the text comes first, and no page is made up."""
    source = docx.Document()
    properties = source.core_properties
    properties.title, properties.author, properties.language = "Harbour policy", "Smith, John; Port Authority", "en-GB"
    properties.created = datetime.datetime(2021, 5, 4)
    source.add_paragraph("The harbour is deep.")
    source.save(str(tmp_path / "policy.docx"))
    document = read(tmp_path / "policy.docx")
    assert document.work == {
        "id": "policy",
        "type": "document",
        "title": "Harbour policy",
        "author": [{"family": "Smith", "given": "John"}, {"literal": "Port Authority"}],
        "issued": {"date-parts": [[2021, 5, 4]]},
        "language": "en-GB",
    }
    assert (document.text, document.pages) == ("The harbour is deep.", ())


def test_headings_are_told_in_any_language(tmp_path: Path) -> None:
    """A localised style has an outline level or keeps its built-in name; a style inherits both."""
    styles = """
      <w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
      <w:style w:type="paragraph" w:styleId="Nadpis1"><w:name w:val="heading 1"/></w:style>
      <w:style w:type="paragraph" w:styleId="Kapitola"><w:name w:val="Kapitola"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
      <w:style w:type="paragraph" w:styleId="MeinKapitel"><w:name w:val="Mein Kapitel"/><w:basedOn w:val="Kapitola"/></w:style>"""
    body = "".join(
        paragraph(text, f'<w:pStyle w:val="{style}"/>')
        for text, style in (("T", "Titel"), ("One", "Nadpis1"), ("Two", "Kapitola"), ("Three", "MeinKapitel"), ("Text.", "Other"))
    ) + paragraph("Four", '<w:outlineLvl w:val="0"/>')
    assert [(kind, level) for kind, level, _ in kinds(written(tmp_path, packed(body, styles=styles)))] == [
        ("heading", 0),
        ("heading", 1),
        ("heading", 2),
        ("heading", 2),
        ("paragraph", 0),
        ("heading", 1),
    ]


NUMBERING = """
  <w:abstractNum w:abstractNumId="0">
    <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%2)"/></w:lvl>
    <w:lvl w:ilvl="2"><w:start w:val="3"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1.%2.%3"/></w:lvl>
    <w:lvl w:ilvl="3"><w:numFmt w:val="bullet"/><w:lvlText w:val="·"/></w:lvl></w:abstractNum>
  <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
  <w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>"""


def test_lists_have_the_numbers_that_word_prints(tmp_path: Path) -> None:
    """Counted from numbering.xml: formats, several levels in one number, restarts and overrides; bullets are dropped."""
    places = [(0, 1), (1, 1), (1, 1), (2, 1), (3, 1), (0, 1), (1, 1), (0, 2), (0, 0)]
    body = "".join(numbered("x", level, list_id) for level, list_id in places)
    assert [(level, text) for _, level, text in kinds(written(tmp_path, packed(paragraph("T.") + body, numbering=NUMBERING)))][1:] == [
        (1, "1. x"),
        (2, "(a) x"),
        (2, "(b) x"),
        (3, "1.b.III x"),
        (4, "x"),
        (1, "2. x"),
        (2, "(a) x"),
        (1, "7. x"),
        (0, "x"),
    ]


def reference(kind: str, key: int, extra: str = "") -> str:
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Reference w:id="{key}" {extra}/>'


def note(kind: str, key: int, text: str) -> str:
    return f'<w:{kind} w:id="{key}"><w:p><w:r><w:{kind}Ref/></w:r>{run(" " + text)}</w:p></w:{kind}>'


def test_footnotes_and_endnotes_are_tied_in_order_of_appearance(tmp_path: Path) -> None:
    """Whatever their ids; footnotes keep Word's numbers, endnotes and the author's own marks follow, separators are none."""
    body = paragraph(
        run("Deep")
        + reference("footnote", 9)
        + "</w:r>"
        + run(", wide ")
        + reference("endnote", 2)
        + "</w:r>"
        + run(". Old")
        + reference("footnote", 5, 'w:customMarkFollows="1"')
        + "<w:t>*</w:t></w:r>"
        + run(" and new")
        + reference("footnote", 4)
        + "</w:r>"
        + run(".")
    )
    footnotes = '<w:footnote w:type="separator" w:id="-1"><w:p/></w:footnote>' + "".join(
        note("footnote", key, text) for key, text in ((4, "Fourth."), (5, "Starred."), (9, "Ninth."), (7, "Nobody refers here."))
    )
    document = written(tmp_path, packed(body, footnotes=footnotes, endnotes=note("endnote", 2, "End.")))
    assert document.text.startswith("Deep, wide. Old and new.\n")
    assert notes(document) == [
        (1, ["Deep"], "Ninth."),
        (2, ["Deep, wide. Old and new"], "Fourth."),
        (3, ["Deep, wide"], "End."),
        (4, ["Deep, wide. Old"], "Starred."),
    ]
    assert "endnote 1 is 3" in next(change.detail for change in document.report if change.kind == "renumbered")


def test_endnotes_alone_keep_their_numbers(tmp_path: Path) -> None:
    """Nothing else is counted, so nothing is renumbered."""
    body = paragraph(run("One") + reference("endnote", 3) + "</w:r>" + run("."))
    document = written(tmp_path, packed(body, endnotes=note("endnote", 3, "End.")))
    assert notes(document) == [(1, ["One"], "End.")]
    assert "renumbered" not in [change.kind for change in document.report]


def test_links_keep_their_targets(tmp_path: Path) -> None:
    """By relationship or by field; a link inside the document is none."""
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "https://x.example/b" </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + run("two") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    link = f'<w:hyperlink r:id="l1">{run("one")}</w:hyperlink>'
    inner = f'<w:hyperlink w:anchor="here">{run("three")}</w:hyperlink>'
    body = paragraph(run("See ") + link + run(", ") + field + run(", ") + inner)
    document = written(tmp_path, packed(body, (relationship("l1", "hyperlink", "https://x.example/a", "External"),)))
    assert document.text == "See one, two, three"
    assert [(document.text[a.start : a.end], a.target) for a in document.links] == [
        ("one", "https://x.example/a"),
        ("two", "https://x.example/b"),
    ]


def test_tracked_changes_are_read_as_accepted(tmp_path: Path) -> None:
    """Insertions stay, deletions go, also a paragraph's end and a table's row; the report holds what was deleted."""
    body = paragraph(
        run("Deep")
        + f"<w:ins>{run(' and wide')}</w:ins><w:del><w:r><w:delText> and shallow</w:delText></w:r></w:del>"
        + f"<w:moveFrom>{run(' gone')}</w:moveFrom><w:moveTo>{run(' here')}</w:moveTo>",
        "<w:rPr><w:del/></w:rPr>",
    )
    row = "<w:tr>{}<w:tc>" + paragraph("a") + "</w:tc><w:tc>" + paragraph("{}") + "</w:tc></w:tr>"
    table = "<w:tbl>" + row.format("", "kept") + row.format("<w:trPr><w:del/></w:trPr>", "struck") + "</w:tbl>"
    document = written(tmp_path, packed(body + paragraph(" it is.") + table))
    assert document.text == "Deep and wide here it is.\n\na | kept"
    assert removed(document, "tracked-changes").splitlines() == ["and shallow", "gone", "a struck"]


def test_a_text_box_is_read_once(tmp_path: Path) -> None:
    """Word writes it twice, for old programs again; it stands behind the paragraph that holds it."""
    box = f"<w:txbxContent>{paragraph('In the box.')}</w:txbxContent>"
    alternatives = (
        f"<mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    document = written(tmp_path, packed(paragraph(run("Around ") + f"<w:r>{alternatives}</w:r>" + run("it."))))
    assert document.text == "Around it.\n\nIn the box."


def test_what_runs_hold_beside_text(tmp_path: Path) -> None:
    """Tabs and line breaks are spaces, raised digits stay raised, hidden text and a table of contents go to the report."""
    body = paragraph("Contents 3", '<w:pStyle w:val="toc"/>') + paragraph(
        run("10")
        + run("6", '<w:vertAlign w:val="superscript"/>')
        + "<w:r><w:tab/><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t><w:br/><w:lastRenderedPageBreak/><w:t>c</w:t>"
        + "<w:softHyphen/><w:t>d</w:t></w:r>"
        + run("secret", "<w:vanish/>")
        + '<w:r><w:drawing><w:docPr descr="A chart"/></w:drawing></w:r>'
    )
    styles = '<w:style w:type="paragraph" w:styleId="toc"><w:name w:val="toc 1"/></w:style>'
    document = written(tmp_path, packed(body, styles=styles))
    assert document.text == "10⁶ a-b cd"
    assert [removed(document, kind) for kind in ("contents", "hidden", "figure")] == ["Contents 3", "secret", "A chart"]
    assert document.pages == ()


def test_notes_and_lists_inside_a_table_are_kept(tmp_path: Path) -> None:
    """A marker in a cell has its offset there; a table of one cell is a box around paragraphs."""
    cell = "<w:tc>{}</w:tc>"
    marked = paragraph(run("3") + reference("footnote", 1) + "</w:r>")
    table = f"<w:tbl><w:tr>{cell.format(paragraph('Depth'))}{cell.format(marked)}</w:tr></w:tbl>"
    box = f"<w:tbl><w:tr>{cell.format(paragraph('One.') + paragraph('Two.'))}</w:tr></w:tbl>"
    document = written(tmp_path, packed(table + box, footnotes=note("footnote", 1, "Metres.")))
    assert [(kind, text) for kind, _, text in kinds(document)] == [
        ("table", "Depth | 3"),
        ("paragraph", "One."),
        ("paragraph", "Two."),
        ("note", "Metres."),
    ]
    assert notes(document) == [(1, ["Depth | 3"], "Metres.")]


def test_all_visible_words_are_in_the_text(tmp_path: Path) -> None:
    """In content controls, smart tags, formulas and nested tables too; every block is a tight slice."""
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    body = (
        f"<w:sdt><w:sdtContent>{paragraph('alpha')}</w:sdtContent></w:sdt>"
        + paragraph(f"<w:smartTag>{run('beta ')}</w:smartTag><m:oMath {math}><m:r><m:t>gamma</m:t></m:r></m:oMath>")
        + f"<w:tbl><w:tr><w:tc>{paragraph('delta')}<w:tbl><w:tr><w:tc>{paragraph('epsilon')}</w:tc></w:tr></w:tbl></w:tc>"
        + f"<w:tc>{paragraph('zeta')}</w:tc></w:tr></w:tbl>"
    )
    document = written(tmp_path, packed(body))
    assert document.text.replace("|", "").split() == ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    for block in document.blocks:
        text = document.text[block.start : block.end]
        assert text == text.strip()


def test_a_style_of_its_own_can_number_headings(tmp_path: Path) -> None:
    """The printed number is part of a heading's words."""
    source = docx.Document()
    style = source.styles.add_style("Chapter", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = source.styles["Heading 1"]
    style.element.append(parse_xml(f'<w:pPr {W}><w:numPr><w:numId w:val="8"/></w:numPr></w:pPr>'))
    for text in ("Aims", "Means"):
        source.add_paragraph(text, style="Chapter")
        source.add_paragraph("Text.")
    source.save(str(tmp_path / "a.docx"))
    found = [text for kind, _, text in kinds(read(tmp_path / "a.docx")) if kind == "heading"]
    assert [text.split()[-1] for text in found] == ["Aims", "Means"]


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w:document xmlns:w="w"><w:body>&b;</w:body></w:document>'
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"is empty\. Remove it"),
        (b"words", "is no ZIP archive"),
        (b"%PDF-1.4", r"is a PDF, not DOCX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "is encrypted. Open it with its password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 WordDocument", "Word 2003 or older"),
        (packed(paragraph("words"))[:200], "is damaged"),
        (zipped({"xl/workbook.xml": "<workbook/>"}), "without a Word document in it"),
        (zipped({"word/document.xml": "<w:document"}), "is damaged"),
        (zipped({"word/document.xml": BOMB}), "declares a document type"),
        (zipped({"word/document.xml": "<d>" * 100_000}), "is damaged"),
        (packed(""), "holds no text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    """The error says which file, what is wrong and what to do."""
    with pytest.raises(UnreadableDocument, match=rf"report\.docx.*{reason}"):
        written(tmp_path, data)


def test_an_archive_that_unpacks_to_too_much_is_refused_unopened(tmp_path: Path) -> None:
    """A few hundred kilobytes that would fill the memory."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w", force_zip64=True) as part:
        for _ in range(257):
            part.write(b" " * 1024 * 1024)
    assert len(buffer.getvalue()) < 1_000_000
    with pytest.raises(UnreadableDocument, match="unpacks to 269,484,032 bytes"):
        written(tmp_path, buffer.getvalue())


def test_attributes_that_are_no_numbers_do_no_harm(tmp_path: Path) -> None:
    """A broken span or list number is read as none."""
    cell = '<w:tc><w:tcPr><w:gridSpan w:val="{}"/></w:tcPr>' + paragraph("a") + "</w:tc>"
    body = f"<w:tbl><w:tr>{cell.format('many')}{cell.format('9' * 5000)}</w:tr></w:tbl>" + numbered("x", 99)
    assert written(tmp_path, packed(body, numbering=NUMBERING)).text == "a | a\n\nx"


def test_a_word_with_its_reading_above_is_the_word(tmp_path: Path) -> None:
    """Ruby: the base is text, the reading is not; a ruby without a base is nothing."""
    ruby = "<w:r><w:ruby><w:rt>{}</w:rt>{}</w:ruby></w:r>"
    body = run("A ") + ruby.format(run("over"), f"<w:rubyBase>{run('base')}</w:rubyBase>") + ruby.format(run("alone"), "")
    assert written(tmp_path, packed(paragraph(body))).text == "A base"


def test_an_archive_cut_at_its_beginning_is_refused(tmp_path: Path) -> None:
    """Its index points before the first byte."""
    with pytest.raises(UnreadableDocument, match="is damaged"):
        written(tmp_path, b"PK" + packed(paragraph("Words."))[40:])
