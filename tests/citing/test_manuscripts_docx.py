"""Word drafts: what is read of them, and the same file with real footnotes."""

from __future__ import annotations

import re
from io import BytesIO

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from eunato_rag.citing.manuscripts import Manuscript, Note, annotate, read_manuscript
from tests.citing.word_files import W, packed, paragraph, parts_of, run, saved, zipped

WRITTEN = {"word/document.xml", "word/footnotes.xml", "word/styles.xml", "[Content_Types].xml"}
FOOTNOTES = """
  <w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>
  <w:footnote w:type="continuationSeparator" w:id="0"><w:p><w:r><w:continuationSeparator/></w:r></w:p></w:footnote>
  <w:footnote w:id="4"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>Smith. A book.</w:t></w:r></w:p></w:footnote>"""
STYLES = """
  <w:style w:type="paragraph" w:default="1" w:styleId="Standard"><w:name w:val="Normal"/></w:style>
  <w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
  <w:style w:type="paragraph" w:styleId="Zitat"><w:name w:val="Quote"/></w:style>
  <w:style w:type="paragraph" w:styleId="MeinZitat"><w:name w:val="Mein Zitat"/><w:basedOn w:val="Zitat"/></w:style>
  <w:style w:type="paragraph" w:styleId="Beschriftung"><w:name w:val="caption"/></w:style>
  <w:style w:type="paragraph" w:styleId="Funotentext"><w:name w:val="footnote text"/></w:style>
  <w:style w:type="character" w:styleId="Funotenzeichen"><w:name w:val="footnote reference"/></w:style>"""


def reference(number: int) -> str:
    return f'<w:r><w:rPr><w:rStyle w:val="Funotenzeichen"/></w:rPr><w:footnoteReference w:id="{number}"/></w:r>'


def field(instruction: str, result: str) -> str:
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>{instruction}</w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{result}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def sentences(manuscript: Manuscript) -> list[str]:
    return [sentence.text for sentence in manuscript.sentences]


def everywhere(manuscript: Manuscript) -> list[Note]:
    return [Note(sentence.end, f"On *{n}*.") for n, sentence in enumerate(manuscript.sentences)]


def noted(manuscript: Manuscript, notes: list[Note] | None = None, bibliography: tuple[str, ...] = ()) -> bytes:
    written = annotate(manuscript, everywhere(manuscript) if notes is None else notes, bibliography)
    assert isinstance(written, bytes)
    return written


def shown(data: bytes) -> list[str]:
    """The body's paragraphs as they are printed, notes as `{id}`, deletions left out."""
    root = etree.fromstring(parts_of(data)["word/document.xml"])
    lines = []
    for element in root.iter(f"{{{W}}}p"):
        line = ""
        for below in element.iter():
            name = etree.QName(below).localname if isinstance(below.tag, str) else ""
            if name == "t":
                line += below.text or ""
            elif name in ("tab", "br"):
                line += "\t" if name == "tab" else "\n"
            elif name in ("footnoteReference", "endnoteReference"):
                line += f"{{{below.get(f'{{{W}}}id')}}}"
        lines.append(line)
    return lines


def notes_of(data: bytes) -> dict[str, str]:
    root = etree.fromstring(parts_of(data)["word/footnotes.xml"])
    return {note.get(f"{{{W}}}id", ""): "".join(note.itertext(f"{{{W}}}t")) for note in root}


def test_a_draft_as_word_writes_it() -> None:
    """Headings, captions, heads of tables and the bibliography hold no sentence; quotations are told by style and marks."""
    source = docx.Document()
    source.add_heading("Two organisations", 0)
    source.add_heading("Introduction", 1)
    text = source.add_paragraph("The EU and NATO have agr")
    text.add_run("eed to ").italic = True
    text.add_run("work together. They said “it is")
    text.add_run(" new.” Both")
    source.add_paragraph().add_run("A bold heading").bold = True
    source.add_paragraph("Item one is here.", style="List Bullet")
    source.add_paragraph("We reaffirm our commitment. It holds.", style="Intense Quote")
    source.add_paragraph("Table 1: Members", style="Caption")
    table = source.add_table(2, 2)
    for cell, words in zip((c for row in table.rows for c in row.cells), ("Body.", "Is.", "NATO", "It has 32 members."), strict=True):
        cell.text = words
    source.add_heading("References", 1)
    source.add_paragraph("Smith, J. 2020. A study.")
    source.add_heading("Conclusion", 1)
    source.add_paragraph("The end came.")
    manuscript = read_manuscript(saved(source), name="draft.docx")
    assert manuscript.format == "docx"
    assert [(s.text, manuscript.text[s.start : s.end] == s.text) for s in manuscript.sentences] == [
        ("The EU and NATO have agreed to work together.", True),
        ("They said “it is new.”", True),
        ("Both", True),
        ("Item one is here.", True),
        ("We reaffirm our commitment.", True),
        ("It holds.", True),
        ("It has 32 members.", True),
        ("The end came.", True),
    ]
    assert [(q.text, q.sentence, q.last_sentence, q.block) for q in manuscript.quotations] == [
        ("it is new.", 1, 1, False),
        ("We reaffirm our commitment. It holds.", 4, 5, True),
    ]


def test_notes_are_footnotes_of_word() -> None:
    """With a part, separators, styles, relationships and a content type; the file opens, and every other part is as it was."""
    source = docx.Document()
    source.add_heading("Introduction", 1)
    source.add_paragraph("The EU agreed. NATO did so too.").add_run(" “In bold.” Then").bold = True
    data = saved(source)
    manuscript = read_manuscript(data)
    written = noted(manuscript, bibliography=("Smith, *A Book*, https://a.b/c?d=é.", "Jones."))
    assert shown(written) == [
        "Introduction",
        "The EU agreed.{1} NATO did so too.{2} “In bold.”{3} Then{4}",
        "Bibliography",
        "Smith, A Book, https://a.b/c?d=é.",
        "Jones.",
    ]
    assert notes_of(written) == {"-1": "", "0": "", "1": " On 0.", "2": " On 1.", "3": " On 2.", "4": " On 3."}
    before, after = parts_of(data), parts_of(written)
    related = "word/_rels/document.xml.rels"
    assert {name for name in before if before[name] != after[name]} == {*WRITTEN, related} - {"word/footnotes.xml"}
    assert set(after) - set(before) == {"word/footnotes.xml"}
    assert b'PartName="/word/footnotes.xml"' in after["[Content_Types].xml"]
    assert b'Target="footnotes.xml"' in after[related]
    assert b"https://a.b/c?d=%C3%A9" in after[related]
    opened = docx.Document(BytesIO(written))
    heading, smith = opened.paragraphs[-3:-1]
    assert (heading.style.name, [r.text for r in smith.runs if r.italic]) == ("Heading 1", ["A Book"])
    assert {"footnote text", "footnote reference", "Hyperlink"} <= {style.name for style in opened.styles}
    bold = [r for r in opened.paragraphs[1].runs if r.text.startswith((" “In", " Then"))]
    assert [r.bold for r in bold] == [True, True]
    assert etree.fromstring(after["word/document.xml"])[0][-1].tag == f"{{{W}}}sectPr"


def test_existing_notes_stay_and_new_ones_follow_them() -> None:
    """Behind a marker that stands there, in the document's own styles, in its own part; ids go on."""
    body = paragraph(f"{run('It rained.')}{reference(4)}{run(' They left.')}") + paragraph(
        "<w:r><w:t>They came.</w:t><w:endnoteReference w:id='9'/><w:t xml:space='preserve'> It was late.</w:t></w:r>"
    )
    data = packed(body, footnotes=FOOTNOTES, styles=STYLES)
    manuscript = read_manuscript(data)
    assert sentences(manuscript) == ["It rained.", "They left.", "They came.", "It was late."]
    written = noted(manuscript)
    assert shown(written) == ["It rained.{4}{5} They left.{6}", "They came.{9}{7} It was late.{8}"]
    assert notes_of(written)["4"] == "Smith. A book."
    after = parts_of(written)
    assert after["word/footnotes.xml"].count(b'w:val="Funotentext"') == 4
    assert after["word/document.xml"].count(b'w:val="Funotenzeichen"') == 5
    assert after["word/styles.xml"] == parts_of(data)["word/styles.xml"]
    assert [name for name in after if "rels" in name] == ["_rels/.rels", "word/_rels/document.xml.rels"]


def test_tracked_changes_are_read_as_accepted_and_kept() -> None:
    """A marker is not put into an insertion that it stands at the end of; a deleted paragraph mark joins two paragraphs."""
    body = (
        paragraph(
            f'{run("It rained")}<w:del w:id="1"><w:r><w:delText> hard</w:delText></w:r></w:del><w:ins w:id="2">{run(" a lot.")}</w:ins>'
            f'<w:moveFrom w:id="3">{run(" Gone.")}</w:moveFrom><w:moveTo w:id="4">{run(" Some came. Here")}</w:moveTo>{run(" to stay.")}'
        )
        + paragraph(run("They left, "), '<w:rPr><w:del w:id="5"/></w:rPr>')
        + paragraph("it seems.")
        + f'<w:ins w:id="6">{paragraph("They cried.")}</w:ins>'
        + paragraph(run("No end."), '<w:rPr><w:del w:id="7"/></w:rPr>')
    )
    manuscript = read_manuscript(packed(body))
    assert sentences(manuscript) == ["It rained a lot.", "Some came.", "Here to stay.", "They left, it seems.", "They cried.", "No end."]
    written = noted(manuscript)
    assert shown(written) == [
        "It rained a lot.{1} Gone. Some came.{2} Here to stay.{3}",
        "They left, ",
        "it seems.{4}",
        "They cried.{5}",
        "No end.{6}",
    ]
    document = etree.fromstring(parts_of(written)["word/document.xml"])
    assert [etree.QName(r.getparent().getparent()).localname for r in document.iter(f"{{{W}}}footnoteReference")] == [
        "p",
        "moveTo",
        *"pppp",
    ]
    assert len(list(document.iter(f"{{{W}}}delText"))) == 1


def test_links_fields_and_formulas_stay_whole() -> None:
    """A marker goes behind them. A citation manager's field is no text; its bibliography is no prose."""
    formula = '<m:oMath xmlns:m="x"><m:r><m:t>E=mc.</m:t></m:r></m:oMath>'
    sdt = f"<w:sdt><w:sdtPr/><w:sdtContent>{run('They hid. Or')}</w:sdtContent></w:sdt>"
    body = (
        paragraph(f"{run('See ')}<w:hyperlink r:id='l1'>{run('It rained. They')}</w:hyperlink>{run(' left.')}")
        + paragraph(f"{run('It rained')}{field(' ADDIN ZOTERO_ITEM CSL_CITATION {{}}', run('(Smith. 2020)'))}{run('. They left.')}")
        + paragraph(f"{run('As in ')}{field(' REF _x ', run('Chapter one. It'))}{run(' says.')}")
        + paragraph(f"{run('Then ')}{formula}{run(' They left.')}")
        + paragraph(f"{sdt}{run(' not.')}")
        + paragraph(f'<w:fldSimple w:instr=" PAGE ">{run("They ran.")}</w:fldSimple>')
        + paragraph(field(" ADDIN ZOTERO_BIBL ", run("Smith, J. 2020. A study.")))
    )
    manuscript = read_manuscript(packed(body, {"l1": "https://a.b"}))
    assert sentences(manuscript) == [
        *("See It rained.", "They left.", "It rained.", "They left.", "As in Chapter one.", "It says."),
        *("Then E=mc.", "They left.", "They hid.", "Or not.", "They ran."),
    ]
    assert shown(noted(manuscript)) == [
        "See It rained. They{1} left.{2}",
        "It rained(Smith. 2020).{3} They left.{4}",
        "As in Chapter one. It{5} says.{6}",
        "Then E=mc.{7} They left.{8}",
        "They hid. Or{9} not.{10}",
        "They ran.{11}",
        "Smith, J. 2020. A study.",
    ]


def test_what_no_reader_sees_is_not_read() -> None:
    """Hidden text, text boxes, tables of contents, pictures; bookmarks and comments are passed, tabs and breaks are space."""
    box = f"<w:r><w:pict><w:txbxContent>{paragraph('In a box.')}</w:txbxContent></w:pict></w:r>"
    broken, raised = "<w:r><w:tab/><w:t>rained.</w:t><w:br/><w:t>They</w:t></w:r>", '<w:vertAlign w:val="superscript"/>'
    contents = '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr><w:sdtContent>'
    body = (
        f"{contents}{paragraph('Introduction. 3')}</w:sdtContent></w:sdt>"
        + paragraph(f"<!-- x --><w:bookmarkStart w:id='1' w:name='a'/>{run('It')}{broken}{box}{run(' left.')}")
        + paragraph(f"{run('They')}{run(' never', '<w:vanish/>')}{run(' came.')}<w:commentRangeEnd w:id='1'/>")
        + paragraph(f"{run('It was large')}{run('3', raised)}{run(': 20 km')}{run('2', raised)}{run('.')}")
        + paragraph("<w:r><w:t>non</w:t><w:noBreakHyphen/><w:t>aligned states</w:t><w:sym w:char='2013'/><w:t>x met.</w:t></w:r>")
    )
    manuscript = read_manuscript(packed(body))
    assert sentences(manuscript) == ["It rained.", "They left.", "They came.", "It was large: 20 km².", "non-aligned states–x met."]
    assert "It\trained.{1}\nTheyIn a box. left.{2}" in shown(noted(manuscript))


def test_styles_are_told_by_their_built_in_names_in_any_language() -> None:
    """Inherited ones too; a paragraph set in on both sides is a quotation without a style."""
    body = (
        paragraph("Eine Überschrift. Hier", '<w:pStyle w:val="berschrift1"/>')
        + paragraph("Es regnet. Sagte er.", '<w:pStyle w:val="MeinZitat"/>')
        + paragraph("“Set in.”", '<w:ind w:left="720" w:right="720"/>')
        + paragraph("Bild. Eins", '<w:pStyle w:val="Beschriftung"/>')
        + paragraph("They left.", '<w:ind w:left="720"/>')
    )
    manuscript = read_manuscript(packed(body, styles=STYLES))
    assert sentences(manuscript) == ["Es regnet.", "Sagte er.", "“Set in.”", "They left."]
    assert [(q.text, q.block) for q in manuscript.quotations] == [("Es regnet. Sagte er.", True), ("Set in.", True)]
    assert (
        b'<w:pStyle w:val="berschrift1"/>' in parts_of(noted(manuscript, bibliography=("B.",)))["word/document.xml"].split(b"They left")[1]
    )


def test_a_bare_document_gets_all_that_notes_need() -> None:
    """Without styles or relationships of its own, and in the strict form of the format."""
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    parts = parts_of(packed(paragraph("It rained.")))
    parts["word/document.xml"] = parts["word/document.xml"].replace(W.encode(), strict.encode())
    del parts["word/_rels/document.xml.rels"]
    written = parts_of(noted(read_manuscript(zipped(parts)), bibliography=("B.",)))
    for name, root in (("word/footnotes.xml", "footnotes"), ("word/styles.xml", "styles")):
        assert etree.fromstring(written[name]).tag == f"{{{strict}}}{root}"
        assert f"/{name}".encode() in written["[Content_Types].xml"]
    assert written["word/_rels/document.xml.rels"].count(b"http://purl.oclc.org/ooxml/officeDocument/relationships/") == 2


def test_without_notes_the_file_is_the_same() -> None:
    data = packed(paragraph("It rained."))
    assert noted(read_manuscript(data), []) == data


def test_an_annotated_draft_can_be_read_and_annotated_again() -> None:
    manuscript = read_manuscript(noted(read_manuscript(packed(paragraph("It rained. They left.")))))
    assert sentences(manuscript) == ["It rained.", "They left."]
    assert shown(noted(manuscript)) == ["It rained.{1}{3} They left.{2}{4}"]


LETTERS = st.sampled_from([*"aB. ?”“\t1", "It rained. ", "They left.", "é", "\U0001f600"])
RUN = st.tuples(
    st.lists(LETTERS, max_size=6).map("".join), st.sampled_from(["", "<w:b/>", "<w:vanish/>", '<w:vertAlign w:val="superscript"/>'])
)
WRAP = st.sampled_from(
    ["{}", "{}", "<w:ins w:id='1'>{}</w:ins>", "<w:del w:id='2'>{}</w:del>", "<w:hyperlink>{}</w:hyperlink>", "{}<w:bookmarkEnd w:id='1'/>"]
)


@given(st.lists(st.lists(st.tuples(RUN, WRAP), max_size=6), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_not_a_character_of_the_draft_changes(paragraphs: list[list[tuple[tuple[str, str], str]]]) -> None:
    """Whatever runs the text is made of: without the notes the same characters stand in the same order, with the same properties."""
    body = "".join(paragraph("".join(wrap.format(run(text, look)) for (text, look), wrap in line)) for line in paragraphs)
    data = packed(f"{paragraph('They came here first.')}{body}")
    manuscript = read_manuscript(data)
    written = noted(manuscript)
    numbers = list(range(1, len(manuscript.sentences) + 1))
    assert [re.sub(r"\{\d+\}", "", line) for line in shown(written)] == shown(data)
    assert [int(n) for line in shown(written) for n in re.findall(r"\{(\d+)\}", line)] == numbers
    assert _characters(written) == _characters(data)
    assert {k: v for k, v in parts_of(written).items() if k in parts_of(data) and k not in WRITTEN and "rels" not in k} == {
        k: v for k, v in parts_of(data).items() if k not in WRITTEN and "rels" not in k
    }
    assert sentences(read_manuscript(written)) == sentences(manuscript)


def _characters(data: bytes) -> list[tuple[str, bytes, tuple[str, ...]]]:
    """Each character of the body with the properties of its run and what its run stands in."""
    found = []
    for element in etree.fromstring(parts_of(data)["word/document.xml"]).iter(f"{{{W}}}t"):
        holder = element.getparent()
        assert holder is not None
        properties = holder.find(f"{{{W}}}rPr")
        look = b"" if properties is None else etree.tostring(properties)
        outer = tuple(str(above.tag) for above in holder.iterancestors())
        found += [(char, look, outer) for char in element.text or ""]
    return found


@pytest.mark.parametrize("name", ["word/document.xml", "word/footnotes.xml"])
def test_notes_hold_no_character_that_xml_forbids(name: str) -> None:
    """Controls and halves of characters are left out of a note, and markup in it is text."""
    manuscript = read_manuscript(packed(paragraph("It rained.")))
    written = noted(manuscript, [Note(10, "a\x0b\x01b <w:t> & \ud800c")], ("x\x00y",))
    assert etree.fromstring(parts_of(written)[name]) is not None
    assert notes_of(written)["1"] == " a b <w:t> & c"
