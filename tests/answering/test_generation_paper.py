"""A written answer on the real paper with the real embedder, as the command line prints it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eunato_rag.answering import generation
from eunato_rag.serving.cli import app
from tests.answering.model_server import ModelServer, Reply

QUESTION = "Why did Pooling and Sharing fail?"
ADOPTED = "The Pooling and Sharing concept was adopted in 2010 to maximise military resources [{was adopted in 2010}]."
ABOLISHED = "It was abolished in 2015 [{was adopted in 2010}]."
FAILED = (
    "The initiative failed to achieve substantial results, because Member States did not identify capabilities "
    "that they could share [{failed to achieve}]."
)


@pytest.fixture
def writer(paper_index: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """A model that is set by the environment, as a user sets it."""
    server = ModelServer(Reply(f"{ADOPTED} {ABOLISHED} {FAILED}"), Reply("(1) DROP"))
    monkeypatch.setenv("EUNATO_INDEX", str(paper_index))
    monkeypatch.setenv("EUNATO_GENERATION__BASE_URL", server.address)
    monkeypatch.setenv("EUNATO_GENERATION__MODEL", "tiny")
    return server


def test_the_command_prints_what_was_written_and_proved(writer: ModelServer) -> None:
    """Paraphrases stand with their quotations and notes; what was made up is left out, and the reader is told."""
    with writer.running():
        printed = CliRunner().invoke(app, ["ask", QUESTION]).stdout
    assert printed.startswith(
        "The Pooling and Sharing concept was adopted in 2010 to maximise military resources [1]. The initiative failed to achieve "
        "substantial results, because Member States did not identify capabilities that they could share [2].\n"
        f"({generation.LEFT_OUT})\n"
    )
    assert "“The Pooling and Sharing concept, for instance, was adopted in 2010 to maximise" in printed
    assert "note 10: European Defence Agency" in printed


def test_the_json_names_the_model(writer: ModelServer) -> None:
    """And holds the notice."""
    with writer.running():
        answer = json.loads(CliRunner().invoke(app, ["ask", QUESTION, "--json"]).stdout)
    assert (answer["model"], answer["notice"]) == ({"name": "tiny"}, generation.LEFT_OUT)
    assert [citation["number"] for citation in answer["citations"]] == [1, 2]
