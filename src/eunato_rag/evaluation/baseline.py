"""Figures against those of an earlier run: a file that is committed, so that a fall is seen when it happens.

    {"collection": "eval", "asked": "digest of the questions", "tolerance": 0.03, "figures": {"all.retrieval.mrr": 0.83}}

What stands in the file is compared and nothing else, so figures may be taken out by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eunato_rag.errors import CorpusError
from eunato_rag.evaluation.measures import Figures
from eunato_rag.evaluation.questions import Question
from eunato_rag.evaluation.reporting import flat

TOLERANCE = 0.03
"""Of a new file: processors round differently, and a question more or less is a percent."""

_LOWER_IS_BETTER = {"risk", "aurc"}
_NO_GOAL = {"questions", "sentences", "tokens", "tokens_beyond", "coverage", "refused_right", "refused_wrong", "least"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The figures of an earlier run, each in 0..1, and by how much one may be worse."""

    tolerance: float
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fall:
    """A figure that is worse than it was by more than the tolerance; `now` is None where it is not measured any more."""

    name: str
    was: float
    now: float | None


def read_baseline(path: Path, questions: Sequence[Question]) -> Baseline:
    """The baseline in a file.

    Raises:
        CorpusError: the file cannot be read, or is of other questions.
    """
    asked, baseline = _read(path)
    if asked != _digest(questions):
        raise CorpusError(f"{path} is of other questions than are asked. If that is meant, write it anew with: --write-baseline {path}")
    return baseline


def write_baseline(path: Path, figures: Figures, questions: Sequence[Question]) -> None:
    """Write the figures of all questions; a file that is there keeps its tolerance."""
    tolerance = _read(path)[1].tolerance if path.exists() else TOLERANCE
    compared = dict(_compared(figures))
    table = {"collection": figures["collection"], "asked": _digest(questions), "tolerance": tolerance, "figures": compared}
    path.write_text(json.dumps(table, indent=2) + "\n", "utf-8")


def compare(baseline: Baseline, figures: Figures) -> list[Fall]:
    """The figures that are worse than in the baseline by more than its tolerance."""
    now = dict(_compared(figures))
    falls = []
    for name, was in baseline.figures.items():
        value = now.get(name)
        worse = 1.0 if value is None else value - was if _leaf(name) in _LOWER_IS_BETTER else was - value
        if worse > baseline.tolerance:
            falls.append(Fall(name, was, value))
    return falls


def _compared(figures: Figures) -> Iterator[tuple[str, float]]:
    """The figures that have a better and a worse."""
    if "conversations" in figures:
        yield from ((f"conversations.{name}", value) for name, value in _compared(figures["conversations"]))
    no_goal = _NO_GOAL | {f"all.refused.{kind}" for kind, row in figures["kinds"].items() if row["answerable"] is None}
    for name, value in flat({"all": figures["all"]}):
        if value is not None and not {name, _leaf(name)} & no_goal:
            yield name, value


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _digest(questions: Sequence[Question]) -> str:
    asked = sorted((question.id, question.question) for question in questions)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def _read(path: Path) -> tuple[str, Baseline]:
    try:
        table = json.loads(path.read_text("utf-8"))
        figures = {str(name): float(value) for name, value in table["figures"].items()}
        return str(table["asked"]), Baseline(float(table["tolerance"]), figures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path} is no baseline: {error!r}. Write one with: eunato-rag eval --write-baseline {path}") from error
