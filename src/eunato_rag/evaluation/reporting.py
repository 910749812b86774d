"""Figures for people and machines: one table of all figures, one by kind of question, rows to read what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from eunato_rag.evaluation.collections import Collection
from eunato_rag.evaluation.measures import Figures, report
from eunato_rag.evaluation.questions import HALVES
from eunato_rag.evaluation.running import Outcome

PARTS = ("all", *HALVES)
WIDTH = 100
"""Columns that a table may take."""

_NOT_BY_KIND = {"found_at_10", "recall_at_5", "R@100", "answerable"}
"""Left to the JSON, for the width's sake."""


def full_report(collection: Collection, questions: Sequence[Outcome], conversations: Sequence[Outcome]) -> Figures:
    """What was asked and all figures; conversations beside single questions have figures of their own."""
    first, second = (questions, conversations) if questions else (conversations, ())
    figures: Figures = {"collection": collection.name, "form": collection.form, **report(first)}
    return {**figures, "conversations": report(second)} if second else figures


def as_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One row per question."""
    return [
        {
            "id": o.question.id,
            "kind": o.question.kind,
            "half": o.question.half,
            "question": o.question.question,
            "ranks": o.found.ranks,
            "documents": o.found.documents[:10],
            **_answer(o),
            "evidence": [asdict(item) for item in o.question.evidence],
            "relevant": dict(o.question.relevant),
        }
        for o in outcomes
    ]


def tables(figures: Figures) -> list[Table]:
    """The figures of a report, at most 100 columns wide."""
    title = f"{figures['collection']} ({figures['form']})"
    made = [_overall(title, figures), _by_kind(figures["kinds"])]
    if "conversations" in figures:
        made += [_overall(f"{title}: conversations", figures["conversations"]), _by_kind(figures["conversations"]["kinds"])]
    return made


def flat(figures: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | int | None]]:
    """Every figure under the names of its groups and its own, with dots between."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def shown(value: float | int | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"


def _overall(title: str, figures: Figures) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("")
    for part in PARTS:
        table.add_column(part, justify="right")
    parts = [dict(flat(figures[part])) for part in PARTS]
    before = ""
    for name in dict.fromkeys(name for part in parts for name in part):
        if all(part.get(name) is None for part in parts):
            continue
        group, _, measure = name.rpartition(".")
        table.add_row(group.replace(".", ", ") if group != before else "", measure, *(shown(part.get(name)) for part in parts))
        before = group
    return table


def _by_kind(kinds: Mapping[str, Figures]) -> Table:
    table = Table("kind", box=None, pad_edge=False)
    names = [name for name in dict.fromkeys(name for row in kinds.values() for name in row) if name not in _NOT_BY_KIND]
    for name in names:
        table.add_column(name, justify="right")
    for kind, row in kinds.items():
        table.add_row(kind, *(shown(row[name]) if name in row else "" for name in names))
    return table


def _answer(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer
    if answer is None:
        return {}
    return {
        "standalone_question": answer.standalone_question,
        "answerable": outcome.question.answerable,
        "status": answer.status,
        "confidence": answer.confidence,
        "cited": outcome.cited,
        "supporting": outcome.supporting,
        "tokens": outcome.tokens,
        "tokens_beyond": outcome.beyond,
        "answer": answer.text,
    }
