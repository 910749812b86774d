"""What people and machines are shown of the figures, and figures against earlier ones."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from eunato_rag.errors import CorpusError
from eunato_rag.evaluation import (
    WIDTH,
    Collection,
    Judgement,
    Outcome,
    as_rows,
    compare,
    draw,
    full_report,
    read_baseline,
    read_collection,
    tables,
    write_baseline,
)
from eunato_rag.records import Document
from tests.conftest import ROOT
from tests.evaluation.conftest import outcome

COLLECTION = Collection("own", "questions", ())
OUTCOMES = [
    outcome("q1", ranks=(1,), cited=1, confidence=0.9, supporting=(True,), supported=(True,), tokens=12, verified=True),
    outcome("q2", ranks=(2,), cited=1, confidence=0.8, supporting=(True,), supported=(True,), tokens=20, verified=True),
    outcome("q3", kind="a kind of a rather long name", answerable=False, confidence=0.1, answered=False),
    outcome("q4", kind="vague", answerable=None, answered=False),
]
QUESTIONS = [o.question for o in OUTCOMES]


def printed(outcomes: list[Outcome], conversations: list[Outcome]) -> list[str]:
    out = Console(file=StringIO(), width=WIDTH)
    for table in tables(full_report(COLLECTION, outcomes, conversations)):
        out.print(table)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue().splitlines()


def test_the_tables_fit_a_terminal() -> None:
    """A hundred columns; every figure by half, and a row for each kind; what nothing speaks of is left out."""
    rows = printed(OUTCOMES, [])
    assert max(map(len, rows)) <= WIDTH
    assert rows[0].startswith("own (questions)")
    (found,) = [row.split() for row in rows if "found_at_1 " in row and "retrieval" in row]
    assert found == ["retrieval", "found_at_1", "0.500", "1.000", "0.000"]
    assert any(row.split()[:2] == ["vague", "1"] for row in rows)
    assert not any("all_cited" in row or "R@100" in row for row in rows)


def test_conversations_have_figures_of_their_own() -> None:
    """Beside those of single questions; alone they are the figures."""
    both = full_report(COLLECTION, OUTCOMES[:1], OUTCOMES)
    assert (both["all"]["questions"], both["conversations"]["all"]["questions"]) == (1, 4)
    alone = full_report(COLLECTION, [], OUTCOMES)
    assert alone["all"]["questions"] == 4
    assert "conversations" not in alone
    assert sum("questions" in row and "own" in row for row in printed(OUTCOMES, OUTCOMES)) == 2


def test_rows_say_what_became_of_each_question() -> None:
    """In JSON, with the half it is of."""
    rows = json.loads(json.dumps(as_rows(OUTCOMES)))
    assert [(row["id"], row["half"], row["status"]) for row in rows][:2] == [("q1", "fitted", "answered"), ("q2", "held-out", "answered")]
    assert rows[0]["evidence"] == [{"document": "d", "start": 0, "end": 1, "quote": "x"}]


def test_a_baseline_holds_against_itself(tmp_path: Path) -> None:
    """Shares alone are in it: of lengths and counts nobody can say which is better."""
    path, figures = tmp_path / "baseline.json", full_report(COLLECTION, OUTCOMES, OUTCOMES)
    write_baseline(path, figures, QUESTIONS)
    baseline = read_baseline(path, QUESTIONS[::-1])
    assert compare(baseline, figures) == []
    assert baseline.tolerance == 0.03
    assert baseline.figures["all.retrieval.mrr"] == 0.75
    assert baseline.figures["conversations.all.refused.a kind of a rather long name"] == 1.0
    names = "\n".join(baseline.figures)
    assert not any(name in names for name in ("questions", "tokens", "sentences", "coverage", "refused_", "vague"))
    assert all(0 <= value <= 1 for value in baseline.figures.values())


@pytest.mark.parametrize(
    ("name", "was", "worse"),
    [
        ("all.retrieval.mrr", 0.85, False),
        ("all.retrieval.mrr", 0.86, True),
        ("all.retrieval.mrr", 0.1, False),
        ("all.abstention.aurc", 0.0, False),
        ("all.abstention.risk", -0.11, True),
        ("all.retrieval.gone", 0.0, True),
    ],
)
def test_a_figure_may_be_worse_by_the_tolerance(tmp_path: Path, name: str, was: float, worse: bool) -> None:
    """And no more: MRR is 0.75 now, the risk nought; what is not measured any more is worse. Better is never worse."""
    path, figures = tmp_path / "baseline.json", full_report(COLLECTION, OUTCOMES, [])
    write_baseline(path, figures, QUESTIONS)
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "tolerance": 0.1, "figures": {name: was}}))
    falls = compare(read_baseline(path, QUESTIONS), figures)
    assert [fall.name for fall in falls] == [name] * worse


def test_a_new_baseline_keeps_the_tolerance(tmp_path: Path) -> None:
    """A person has set it."""
    path, figures = tmp_path / "baseline.json", full_report(COLLECTION, OUTCOMES, [])
    write_baseline(path, figures, QUESTIONS)
    path.write_text(path.read_text().replace("0.03", "0.01"))
    write_baseline(path, figures, QUESTIONS)
    assert read_baseline(path, QUESTIONS).tolerance == 0.01


def test_a_baseline_is_of_the_questions_it_was_made_with(tmp_path: Path) -> None:
    """Figures of others say nothing; nor does a file that is none."""
    path = tmp_path / "baseline.json"
    write_baseline(path, full_report(COLLECTION, OUTCOMES, []), QUESTIONS)
    with pytest.raises(CorpusError, match=r"is of other questions than are asked.*--write-baseline"):
        read_baseline(path, QUESTIONS[:2])
    for text in ("", "[]", '{"asked": "x", "tolerance": 0.1, "figures": {"a": "b"}}'):
        path.write_text(text)
        with pytest.raises(CorpusError, match="is no baseline"):
            read_baseline(path, QUESTIONS)
    with pytest.raises(CorpusError, match="is no baseline"):
        read_baseline(tmp_path / "none.json", QUESTIONS)


def test_the_curve_is_drawn() -> None:
    """Well-formed, named, and with its steps where they belong: all answered with a risk of 0.2 on a scale to 0.3."""
    image = ElementTree.fromstring(draw("A & B", {"all": [(0.5, 0.1), (1.0, 0.2)], "held-out": []}))
    first, second = image.findall("{*}polyline")
    assert first.get("points") == "320.0,248.0 584.0,152.0"
    assert second.get("points") == ""
    texts = [text.text for text in image.findall("{*}text")]
    assert {"A & B", "all", "held-out", "0.30"} <= set(texts)


def test_the_committed_baseline_is_of_the_committed_questions(paper: Document) -> None:
    """And every judgement of a conversation, too, is what the paper says at its place."""
    folder = ROOT / "tests" / "eval"
    collection = read_collection(folder)
    assert read_baseline(folder / "baseline.json", collection.asked).figures
    judged = [judgement for question in collection.conversations for judgement in question.evidence]
    assert len(judged) > 50
    assert all(isinstance(j, Judgement) and paper.text[j.start : j.end] == j.quote for j in judged)
    assert all(question.standalone for question in collection.conversations)
