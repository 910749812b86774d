"""The README says what is so: its examples are run, and its figures measured."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from eunato_rag import evaluation
from eunato_rag.engine import Engine
from eunato_rag.serving.cli import app
from eunato_rag.serving.http import render
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
TOLERANCE = 0.03
"""Processors round differently, and a question more or less is one percent."""


EXAMPLES = re.findall(r"```console\n\$ eunato-rag (.*)\n((?:.*\n)+?)```", README)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command.split()[0] for command, _ in EXAMPLES])
def test_a_command_prints_what_the_readme_shows(
    command: str, shown: str, paper_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the letter; the draft to be checked is the one shown before."""
    (draft,) = re.findall(r"```markdown\n(.*?)```", README, re.DOTALL)
    (tmp_path / "draft.md").write_text(draft, "utf-8")
    monkeypatch.setenv("EUNATO_INDEX", str(paper_index))
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(app, shlex.split(command)).stdout
    assert printed.rstrip() == shown.rstrip()


def test_the_answer_over_http_is_the_one_shown(paper_engine: Engine) -> None:
    """The README shortens it, and changes nothing."""
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (asked,) = re.findall(r"-d '(.*?)'", README)
    answer = render.answer(paper_engine, paper_engine.ask(json.loads(asked)["question"]), 0.0)
    assert contains(json.loads(answer.model_dump_json()), json.loads(shown))


def test_the_figures_are_measured(outcomes: list[evaluation.Outcome]) -> None:
    """Each row of the table, over all questions and over both halves."""
    report = evaluation.report(outcomes)
    rows = dict(re.findall(r"^\| ([a-z][^|]*?) \| (\d+ % \| \d+ % \| \d+ %) \|$", README, re.MULTILINE))
    names = {
        "evidence in the first passage": ("retrieval", "found_at_1"),
        "in the first 3": ("retrieval", "found_at_3"),
        "in the first 5": ("retrieval", "found_at_5"),
        "answerable questions answered": ("answers", "answered"),
        "the answer quotes the evidence": ("answers", "cited"),
        "every quotation and sentence verified": ("citations", "verified"),
        "nonsense refused": ("refused", "nonsense"),
        "off-topic questions refused": ("refused", "off_topic"),
        "near misses refused": ("refused", "near_miss"),
    }
    assert set(rows) == set(names)
    for name, (group, measure) in names.items():
        shown = [int(value) / 100 for value in re.findall(r"(\d+) %", rows[name])]
        measured = [report[part][group][measure] for part in ("all", "fitted", "held-out")]
        assert shown == pytest.approx(measured, abs=TOLERANCE), name


def test_every_command_and_route_is_in_the_readme() -> None:
    """What exists is documented."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) > 10
    assert all(re.search(rf"`(?:eunato-rag )?{name}", README) for name in commands)


def contains(whole: Any, part: Any) -> bool:
    """Whether each field of the part has the same value in the whole."""
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) >= len(part) and all(map(contains, whole, part))
    return bool(whole == part)
