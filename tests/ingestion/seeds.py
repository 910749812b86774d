"""Small sound files of every type that is read, to be made wrong: what a reader knows of stands in at least one of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import cache

import docx
import pypdf
from reportlab.pdfgen.canvas import Canvas

from tests.ingestion.test_docx import numbered, packed, paragraph, run
from tests.ingestion.test_pdf import HARBOUR, cells, drawn, lines, together

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-7", "koi8-r", "shift_jis", "gb18030")
_TEXT = f"""Harbour Report

Contents
Summary ........ 1
Lessons ........ 2

Summary

{HARBOUR}¹ The works cost 3.2 million, or 10⁶ crowns.² “It is 14 metres deep”, he said… and left.

¹ Port Authority, Dredging at Lindholm, 2019, https://port.example/dredging
² See note 1.

Lessons

1. Charter two barges. One alone is a risk.
2. Ask the pilots first.
   (a) They know the channel.
   • And the lights.

Figure 1: The depth of the channel

About the author

Eva Lind is a pilot.
"""
_MARKDOWN = """---
title: "Orchard Notes"
author: [Eva Lind, {name: Port Museum}]
date: 2021-04-05
url: https://orchard.example/notes
---
# Orchard *Notes*

Apples[^1] keep until **March**; see [the list](https://a.example/x_(y) "z") &amp; <b>more</b>. The pears do not keep<sup>2</sup>.

| Kind | Keeps | Sold |
|------|:-----:|-----:|
| Apple | March | 12 |
| Pear | no | 3 |

Pests
-----

> Codling moth was seen in 2021, and the trees were `banded` with paper ![a](b.png).

- one \\* star
    - two

```
code | here
```
<!-- no text -->

[^1]: Lind, *Apples*, 2019.
[^2]: Ibid.
"""
_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Harbour | Port</title>
<meta name="citation_title" content="Harbour Report"><meta property="og:site_name" content="Port">
<link rel="canonical" href="https://port.example/report"><base href="/a/">
<script type="application/ld+json">%s</script></head><body><nav><a href="/">Home</a> <a href="/b">B</a></nav><main><h1>Harbour Report</h1>
<p>The works<a href="#fn1" id="r1"><sup>1</sup></a> cost <b>3.2</b> million; 10<sup>6</sup> crowns.[2] <q>Deep</q><br><br>and late.</p>
<h2>Lessons</h2><ol start="3" type="i"><li>Charter two barges.<ul><li>One alone is a risk.</li></ul></li><li value="9">Ask.</li></ol>
<table><caption>Depths</caption><thead><tr><th>Year<th colspan="2">Metres</tr></thead><tr><td rowspan="2">2019<td>14<td>15</tr>
<tr><td>16<td>17</tr></table><dl><dt>Barge</dt><dd>A boat.</dd></dl><pre>  as
 it is</pre><figure><img alt="A barge"><figcaption>A barge</figcaption></figure><p style="display:none">hidden</p>
<p>[2] See the first note.</p><section role="doc-endnotes"><ol><li id="fn1"><p>Port Authority, 2019. <a href="#r1">↩</a></p></ol></section>
</main><footer><p>Imprint</p></footer></body></html>"""
_ACT = "".join(f"<p>{text}</p>" for text in ("TITLE I", "COMMON PROVISIONS", "Article 1", "(a) one;", "Article 2", "Two.", "Article 3"))


@cache
def seeds(suffix: str) -> tuple[bytes, ...]:
    """Sound files of a type, none of them large."""
    return _SEEDS[suffix]()


def _texts() -> tuple[bytes, ...]:
    return tuple(_TEXT.encode(encoding, "replace") for encoding in _ENCODINGS)


def _markdown() -> tuple[bytes, ...]:
    return _MARKDOWN.encode(), _MARKDOWN.replace("\n", "\r\n").encode("utf-16"), _TEXT.encode()


def _pages() -> tuple[bytes, ...]:
    said = {"@graph": [{"@type": "Report", "name": "Harbour \ud800Report", "author": [{"@type": "Person", "name": "Eva Lind"}]}]}
    page = _PAGE % json.dumps(said)
    return page.encode(), page.replace("utf-8", "iso-8859-2").encode("iso8859-2", "replace"), page.encode("utf-16"), _ACT.encode()


def _word_files() -> tuple[bytes, ...]:
    made = docx.Document()
    made.core_properties.title, made.core_properties.author = "Harbour Report", "Lind, Eva"
    made.add_heading("Harbour Report", 0)
    made.add_heading("Summary", 1)
    made.add_paragraph(HARBOUR)
    made.add_paragraph("Charter two barges.", "List Number")
    table = made.add_table(2, 3)
    for n, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {n}"
    table.cell(0, 0).merge(table.cell(1, 0))
    buffer = io.BytesIO()
    made.save(buffer)
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:endnoteReference w:id="3"/></w:r>'
    ruby = "<w:r><w:ruby><w:rt><w:r><w:t>over</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>base</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    link = "".join(f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate"))
    body = "".join(
        (
            paragraph("Harbour Report", '<w:outlineLvl w:val="0"/>'),
            paragraph(run("The works were late.") + reference + run("6", '<w:vertAlign w:val="superscript"/>') + ruby),
            *(numbered(f"item {n}", n % 3) for n in range(4)),
            paragraph(link + run("linked") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'),
            paragraph("<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>come</w:t></w:r></w:ins>"),
            paragraph('<w:r><w:sym w:char="41"/></w:r>'),
            f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc><w:tc>{paragraph('b')}</w:tc></w:tr></w:tbl>",
        )
    )
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="%{n + 1}."/></w:lvl>'
        for n, kind in enumerate(("decimal", "lowerRoman", "upperLetter"))
    )
    raw = packed(
        body,
        numbering=f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
        footnotes=f'<w:footnote w:id="2">{paragraph("Port Authority, 2019.")}</w:footnote>',
        endnotes=f'<w:endnote w:id="3">{paragraph("See above.")}</w:endnote>',
        styles='<w:style w:type="paragraph" w:styleId="a" w:default="1"><w:name w:val="Normal"/></w:style>',
    )
    return buffer.getvalue(), raw


def _pdfs() -> tuple[bytes, ...]:
    table = cells([["Year", "Depth", "Cost"], ["2019", "14", "3.2"], ["2020", "15", "4.1"], ["2021", "15", "4.4"]], 500)
    plain = drawn(together(lines(HARBOUR, size=11), table, lines("1 Port Authority, Dredging, 2019.", y=90, size=8)), lines(HARBOUR * 2))
    buffer = io.BytesIO()
    made = Canvas(buffer, pagesize=(400, 500), pageCompression=1)
    made.setTitle("Harbour Report")
    made.setAuthor("Eva Lind")
    for n in range(3):
        made.bookmarkPage(str(n))
        made.addOutlineEntry(f"Part {n}", str(n), 0)
        lines(HARBOUR, 40, 460, 300, size=9 + n)(made)
        made.rotate(90 * n)
        made.drawString(50, 60, "aside¹ 😀")
        made.showPage()
    made.save()
    writer = pypdf.PdfWriter(io.BytesIO(buffer.getvalue()))
    writer.set_page_label(0, 1, "/r")
    writer.encrypt("", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    return plain, buffer.getvalue(), locked.getvalue()


_SEEDS: Mapping[str, Callable[[], tuple[bytes, ...]]] = {
    ".docx": _word_files,
    ".htm": _pages,
    ".html": _pages,
    ".markdown": _markdown,
    ".md": _markdown,
    ".pdf": _pdfs,
    ".txt": _texts,
    ".xhtml": _pages,
}
