"""Which tables of a page hold data, which are list items in disguise, and which only place things.

Left out: how a table becomes text (prose.table_prose).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eunato_rag.ingestion.readers.html_main import HEADINGS
from eunato_rag.ingestion.readers.html_tree import Element

_ITEM_MARK = re.compile(r"(?:\(?(?:\d{1,3}|[a-z]{1,3}|[ivxl]{1,6})[.)]|[-–—•·])", re.IGNORECASE)
_LONG_CELL = 1500


def elements(element: Element, tags: Sequence[str]) -> list[Element]:
    return [child for child in element.children if isinstance(child, Element) and child.tag in tags]


def rows_of(table: Element) -> Iterator[Element]:
    for child in elements(table, ("thead", "tbody", "tfoot", "tr")):
        if child.tag == "tr":
            yield child
        else:
            yield from elements(child, ("tr",))


def as_item(rows: Sequence[Element]) -> tuple[Element, Element] | None:
    """Mark and text of a list item that is set as a table of one row, as the Official Journal sets them."""
    if len(rows) != 1:
        return None
    cells = [cell for cell in elements(rows[0], ("td", "th")) if cell.text().strip()]
    return (cells[0], cells[1]) if len(cells) == 2 and _ITEM_MARK.fullmatch(cells[0].text().strip()) else None


def is_data(table: Element, rows: Sequence[Element]) -> bool:
    """Whether a table holds data; one that only places things on the page is read as what is in its cells."""
    if table.get("role").lower() in ("presentation", "none"):
        return False
    cells = [cell for row in rows for cell in elements(row, ("td", "th"))]
    if any(cell.tag == "th" for cell in cells):
        return True
    if not cells or max(len(elements(row, ("td", "th"))) for row in rows) < 2:
        return False
    inner = {e.tag for cell in cells for e in cell.iter() if e is not cell}
    return not inner & (HEADINGS | {"table"}) and max(len(cell.text()) for cell in cells) < _LONG_CELL
