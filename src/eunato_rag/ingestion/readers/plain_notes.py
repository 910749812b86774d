"""Notes that nothing but their labels ties to their markers: `word[2]` or `word²`, and a paragraph `[2] Author, Title`.

Works on drafts, for any format. Labels may begin anew in each part of a document: a run of notes belongs to the prose
since the run before it. Left out: markers and notes that the format itself ties (html_notes, docx).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from eunato_rag.ingestion.footnotes import SUPERSCRIPTS, is_marker, superscript_number
from eunato_rag.ingestion.layout import Draft, Prose
from eunato_rag.records import Change

_NOTE = re.compile(rf"(?:(?P<raised>[{SUPERSCRIPTS}]{{1,3}})\s*|\[(?P<label>\d{{1,3}}|\*{{1,3}})\](?:\s+|$))")
_MANY = 5
_MARKER = re.compile(rf"(?P<raised>(?<=\S)[{SUPERSCRIPTS}]{{1,3}})|(?P<gap>\s?)\[(?P<label>\d{{1,3}}|\*{{1,3}})\]")


def unique_numbers(labels: Sequence[str], taken: Iterable[int] = ()) -> list[int]:
    """A number of its own for each note: the printed one where it is one and still free, else the next above all."""
    used = set(taken)
    numbers: list[int | None] = []
    for label in labels:
        number = int(label) if label.isdecimal() and int(label) not in used else None
        numbers.append(number)
        if number is not None:
            used.add(number)
    following = max(used, default=0)
    result = []
    for number in numbers:
        if number is None:
            following += 1
            number = following
        result.append(number)
    return result


def tie_plain_notes(drafts: Sequence[Draft], taken: Iterable[int] = ()) -> tuple[list[Draft], list[Change]]:
    """The drafts with such notes made notes and their markers lifted out; without such notes, the drafts as they are.

    A run of paragraphs is one of notes where half of its labels, or many, stand as markers in the prose before it.
    """
    runs = _runs(drafts)
    accepted: list[tuple[int, tuple[int, int], list[tuple[str, int, int]]]] = []
    begin = 0
    for run in runs:
        first, last = run[0][1], run[-1][2]
        labels = {label for label, _, _ in run}
        marked = {label for draft in drafts[begin:first] for label in _markers(draft.prose, labels)}
        if 2 * len(marked) >= len(labels) or len(marked) >= _MANY:
            accepted.append((begin, (first, last), run))
            begin = last
    if not accepted:
        return list(drafts), []
    printed = [label for _, _, run in accepted for label, _, _ in run]
    assigned = unique_numbers(printed, taken)
    numbers = iter(assigned)
    result: list[Draft] = []
    done = 0
    for begin, (first, last), run in accepted:
        known = {label: next(numbers) for label, _, _ in run}
        result.extend(drafts[done:begin])
        result.extend(replace(draft, prose=_lift(draft.prose, known)) for draft in drafts[begin:first])
        for label, start, end in run:
            prose = drafts[start].prose
            match = _NOTE.match(prose.text)
            prose = prose.cut(match.end() if match else 0)
            for draft in drafts[start + 1 : end]:
                prose = prose.joined(draft.prose)
            if prose.text:
                result.append(Draft("note", prose, number=known[label]))
        done = last
    return result + list(drafts[done:]), renumbered(printed, assigned)


def renumbered(labels: Sequence[str], numbers: Sequence[int]) -> list[Change]:
    """What the report says of notes that could not keep their labels as numbers."""
    renamed = [f"{label} is {number}" for label, number in zip(labels, numbers, strict=True) if label and label != str(number)]
    return [Change("renumbered", f"notes whose label is not a number of their own: {', '.join(renamed)}")] if renamed else []


def _runs(drafts: Sequence[Draft]) -> list[list[tuple[str, int, int]]]:
    """Runs of paragraphs that begin with a label, as (label, first draft, end). A label alone takes what follows it."""
    runs: list[list[tuple[str, int, int]]] = []
    end = 0
    index = 0
    while index < len(drafts):
        label = _label(drafts[index])
        if label is None:
            index += 1
            continue
        stop = index + 1
        if _NOTE.fullmatch(drafts[index].prose.text):
            while stop < len(drafts) and drafts[stop].prose.text[:1] in "-–—" and _label(drafts[stop]) is None:
                stop += 1
        if runs and end == index and label not in {known for known, _, _ in runs[-1]}:
            runs[-1].append((label, index, stop))
        else:
            runs.append([(label, index, stop)])
        end = index = stop
    return runs


def _label(draft: Draft) -> str | None:
    match = _NOTE.match(draft.prose.text) if draft.kind in ("paragraph", "list_item") else None
    if match is None:
        return None
    return match["label"] if match["label"] else str(superscript_number(match["raised"]))


def _markers(prose: Prose, labels: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """The ranges of the markers in a stretch of prose, by label."""
    known = frozenset(labels)
    numbers = frozenset(int(label) for label in known if label.isdecimal())
    found: dict[str, list[tuple[int, int]]] = {}
    for match in _MARKER.finditer(prose.text):
        if match["raised"]:
            label = str(superscript_number(match["raised"]))
            sound = is_marker(prose.text[max(0, match.start() - 12) : match.start()], int(label), numbers)
        else:
            label = match["label"]
            sound = label in known and match.start() > 0
        if sound:
            found.setdefault(label, []).append(match.span())
    return found


def _lift(prose: Prose, known: dict[str, int]) -> Prose:
    spans = sorted((a, b, known[label]) for label, places in _markers(prose, known).items() for a, b in places)
    if not spans:
        return prose

    def moved(offset: int) -> int:
        return offset - sum(min(offset, b) - a for a, b, _ in spans if a < offset)

    kept, place = [], 0
    for a, b, _ in spans:
        kept.append(prose.text[place:a])
        place = b
    kept.append(prose.text[place:])
    markers = sorted([(moved(o), n) for o, n in prose.markers] + [(moved(a), n) for a, _, n in spans])
    links = tuple((moved(a), moved(b), target) for a, b, target in prose.links if moved(b) > moved(a))
    return Prose("".join(kept), tuple(markers), links, prose.lines)


def told_apart(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with a key of its own for each note, where numbers begin anew in the course of the text.

    Of as many markers as notes of a number, each belongs to the note in its turn, wherever the notes stand; else to the
    first such note behind it.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        if draft.number is not None:
            places[draft.number].append(place)
    if all(len(noted) == 1 for noted in places.values()):
        return list(drafts)
    markers = Counter(number for draft in drafts for _, number in draft.prose.markers)
    turns: Counter[int] = Counter()

    def key(number: int, place: int) -> int:
        noted = places.get(number) or [-1]  # of an empty note nothing is left but its markers
        if len(noted) == markers[number]:
            turns[number] += 1
            return noted[turns[number] - 1]
        return noted[min(bisect_left(noted, place), len(noted) - 1)]

    keyed = []
    for place, draft in enumerate(drafts):
        prose = replace(draft.prose, markers=tuple((offset, key(number, place)) for offset, number in draft.prose.markers))
        keyed.append(replace(draft, prose=prose, key=place if draft.number is not None else None))
    return keyed
