"""What the readers of marked-up formats do with all drafts at hand: title, ranks of headings, and the report on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eunato_rag.ingestion.layout import Draft, Prose, collapse, ends_sentence
from eunato_rag.records import Change

_LONG_TITLE = 400


def titled(drafts: Sequence[Draft], title: str, *, insert: bool) -> list[Draft]:
    """The drafts with a title of level 0, if one can be told.

    It is the first heading where that is the only one of its rank or says what the file calls itself; else the file's
    own name, set before the text (`insert`); else, where the file has no name, a first paragraph that is no sentence.
    """
    made = list(drafts)
    headings = [index for index, draft in enumerate(made) if draft.kind == "heading"]
    if any(made[index].level == 0 for index in headings):
        return made
    tops = sum(made[index].level == 1 for index in headings)
    if headings:
        first = made[headings[0]]
        if (tops == 1 and first.level == 1) or _same(first.prose.text, title):
            made[headings[0]] = replace(first, level=0)
            return made
    if made and made[0].kind == "paragraph" and _same(made[0].prose.text, title):
        made[0] = replace(made[0], kind="heading", level=0)
    elif title and made and insert:
        made.insert(0, Draft("heading", Prose(title), 0))
    elif len(made) > 1 and not title and made[0].kind == "paragraph":
        text = made[0].prose.text
        if len(text) <= _LONG_TITLE and not ends_sentence(text):
            made[0] = replace(made[0], kind="heading", level=0)
    return made


def ranked(drafts: Sequence[Draft]) -> list[Draft]:
    """Headings below the title have levels from 1, without gaps."""
    made: list[Draft] = []
    ranks: list[int] = []
    for draft in drafts:
        if draft.kind == "heading" and draft.level > 0:
            while ranks and ranks[-1] >= draft.level:
                ranks.pop()
            ranks.append(draft.level)
            draft = replace(draft, level=len(ranks))
        made.append(draft)
    return made


def without_empty_sections(drafts: Sequence[Draft]) -> tuple[list[Draft], list[Change]]:
    """The drafts without the headings over nothing but notes, since the notes go behind the prose."""
    kept: list[Draft] = []
    gone: list[str] = []
    for index, draft in enumerate(drafts):
        if draft.kind == "heading":
            end = next((i for i in range(index + 1, len(drafts)) if drafts[i].kind == "heading"), len(drafts))
            inside = drafts[index + 1 : end]
            if inside and all(d.kind == "note" for d in inside) and (end == len(drafts) or drafts[end].level <= draft.level):
                gone.append(draft.prose.text)
                continue
        kept.append(draft)
    return kept, [Change("notes-heading", f"{len(gone)} headings over nothing but notes removed", None, "\n".join(gone))] if gone else []


def account(drafts: Sequence[Draft]) -> list[Change]:
    """What the report says of notes and tables."""
    changes = []
    notes = {draft.number for draft in drafts if draft.kind == "note" and draft.number is not None}
    anchored = {number for draft in drafts for _, number in draft.prose.markers}
    if notes:
        changes.append(Change("notes", f"{len(notes)} notes set behind the prose, {len(anchored & notes)} tied to their markers"))
    for kind, numbers, detail in (
        ("note-without-marker", notes - anchored, "no marker in the prose refers to"),
        ("marker-without-note", anchored - notes, "a marker in the prose refers to, and there is no text of,"),
    ):
        if numbers:
            changes.append(Change(kind, f"{detail} note {', '.join(map(str, sorted(numbers)))}"))
    tables = sum(draft.kind == "table" for draft in drafts)
    if tables:
        changes.append(Change("tables", f"{tables} tables set as lines, one for each row"))
    return changes


def _same(first: str, second: str) -> bool:
    return collapse(first).casefold() == collapse(second).casefold()
