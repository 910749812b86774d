"""Word files for tests: made with python-docx where it can, as raw XML where it cannot."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO

from docx.document import Document

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def saved(document: Document) -> bytes:
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(data: bytes, changed: Mapping[str, bytes | None]) -> bytes:
    """The file with parts changed, or taken out where None."""
    parts = {**parts_of(data), **changed}
    return zipped({name: part for name, part in parts.items() if part is not None})


def packed(body: str, links: Mapping[str, str] | None = None, **parts: str) -> bytes:
    """A DOCX of raw XML: the inner XML of the body, the addresses of its links by id, the inner XML of styles, footnotes …"""
    related = "".join(f'<Relationship Id="p{name}" Type="{R}/{name}" Target="{name}.xml"/>' for name in parts)
    related += "".join(
        f'<Relationship Id="{key}" Type="{R}/hyperlink" Target="{to}" TargetMode="External"/>' for key, to in (links or {}).items()
    )
    overrides = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{TYPES}.{name}+xml"/>' for name in parts)
    main = f'<Relationship Id="r1" Type="{R}/officeDocument" Target="word/document.xml"/>'
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{TYPES}.document.main+xml"/>{overrides}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{main}</Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{body}<w:sectPr/></w:body></w:document>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
            **{f"word/{name}.xml": f'<w:{name} xmlns:w="{W}" xmlns:r="{R}">{inner}</w:{name}>' for name, inner in parts.items()},
        }
    )


def run(text: str, properties: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{properties}</w:rPr>" if properties else ""}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner if inner.startswith('<') else run(inner)}</w:p>"
