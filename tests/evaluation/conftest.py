"""A folder of each form, of a few lines, and outcomes made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.evaluation.questions import Judgement, Question
from eunato_rag.evaluation.running import Found, Outcome
from eunato_rag.records import Answer

Write = Callable[..., Path]

ITEMS = [
    {"id": "ships", "title": "Ships", "text": "The brig Aurora sank in 1871. Her anchor was found by divers.\nShe carried copper."},
    {"id": "trees", "title": "Trees", "text": "The oak lives six hundred years. Beech wood burns long."},
    {"id": "birds", "title": "Birds", "text": "The arctic tern flies from pole to pole. It weighs a hundred grams."},
]
QUERIES = [
    {"id": "q1", "text": "When did the brig Aurora sink?"},
    {"id": "q2", "text": "How long does an oak live?"},
    {"id": "q3", "text": "How high does the albatross soar over Patagonia?"},
]
QRELS = "query_id\tdoc_id\tscore\nq1\tships\t1\nq2\ttrees\t2\nq2\tships\t0\n"
SPANS = [
    {"id": "q1", "answerable": True, "gold_passage": "ships", "answers": [{"text": "1871", "starts": [24]}]},
    {"id": "q2", "answerable": True, "gold_passage": "trees", "answers": [{"text": "six hundred years", "starts": [14]}]},
    {"id": "q3", "answerable": False, "gold_passage": "birds", "answers": []},
]


def lines(rows: Sequence[object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a folder: the names of files, with _ for the dot, and what stands in them, rows or text."""

    def made(name: str, **files: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file, contents in files.items():
            text = contents if isinstance(contents, str) else lines(contents)
            (folder / file.replace("_", ".")).write_text(text, "utf-8")
        return folder

    return made


@pytest.fixture
def beir(write: Write) -> Path:
    """A folder to be measured by passages alone."""
    return write("beir", corpus_jsonl=ITEMS, queries_jsonl=QUERIES, qrels_tsv=QRELS)


@pytest.fixture
def squad(write: Write) -> Path:
    """A folder with exact answers, and a question without one."""
    return write("squad", corpus_jsonl=ITEMS, queries_jsonl=QUERIES, answers_jsonl=SPANS)


def outcome(
    identity: str = "q",
    *,
    kind: str = "fact",
    answerable: bool | None = True,
    answered: bool = True,
    confidence: float = 0.5,
    ranks: tuple[int, ...] = (),
    **more: Any,
) -> Outcome:
    """An outcome in which only what is named matters."""
    evidence = tuple(Judgement("d", n, n + 1, "x") for n in range(len(ranks) or bool(answerable)))
    question = Question(identity, kind, f"{identity}?", evidence, all=more.pop("all", False), answerable=answerable)
    status = "answered" if answered else "abstained"
    answer = Answer(question.question, question.question, status, "text", (), (), "s", confidence=confidence)
    return Outcome(question, Found(ranks), answer=answer, **more)
