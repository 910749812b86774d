"""docs/operations.md says what is so: its settings exist, its limits are those of the code, its metrics are shown."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from eunato_rag.serving.http import server
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.draining import CONNECTIONS
from eunato_rag.serving.http.limits import COMPUTED, GRACE_S, LARGER, MAX_BODY, SLOWEST, WAITED_FOR, Work
from eunato_rag.serving.http.rates import DEFAULT
from eunato_rag.serving.http.serving import Serving
from eunato_rag.settings import ServingSettings, variables
from tests.conftest import ROOT, WordEmbedder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
LIMITS = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|[^|]*\|[^|]*\|$", PAGE, re.MULTILINE))


def test_every_setting_that_is_named_exists() -> None:
    """Also those that are shortened to their end; and every setting of the service is named."""
    named = set(re.findall(r"EUNATO_[A-Z_]+[A-Z]", PAGE)) | {f"EUNATO_SERVING{end}" for end in re.findall(r"`(__[A-Z_]+)`", PAGE)}
    assert named <= set(variables())
    serving = {name for name in variables() if name.startswith("EUNATO_SERVING__")}
    assert serving - named <= {"EUNATO_SERVING__HOST", "EUNATO_SERVING__PORT"}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("time of a body", f"{GRACE_S:.0f} s, then {SLOWEST // 1024} KiB/s on average"),
        ("computed at a time", f"{COMPUTED}; {WAITED_FOR} where a language model writes"),
        ("waiting for that", f"{Work().queue}, each {Work().queue_s:.0f} s"),
        ("beginning of an answer", f"{Work().answer_s:.0f} s"),
        ("connections", f"{CONNECTIONS}"),
        ("idle connection", f"{server.KEEP_ALIVE_S} s"),
    ],
)
def test_the_limits_are_those_of_the_code(what: str, said: str) -> None:
    assert LIMITS[what] == said


def test_the_sizes_and_rates_are_those_of_the_code() -> None:
    """Each path with its own; and the settings begin with what the code has."""
    sizes = LIMITS["body of a request"]
    assert sizes.startswith(f"{MAX_BODY // 1024} KiB")
    for path, size in LARGER.items():
        assert re.search(rf"{path}`(?: and `[^`]+`)? {size // 2**20} MiB", sizes), path
    rates = next(value for what, value in LIMITS.items() if what.startswith("requests of one key"))
    assert re.findall(r"\d+/\w+", rates) == [DEFAULT["general"], DEFAULT["costly"], DEFAULT["admin"]]
    settings = ServingSettings()
    assert settings.at_a_time is None
    assert Work(Work().at_a_time, settings.queue, settings.queue_seconds, settings.answer_seconds) == Work()


def test_every_metric_that_is_named_is_shown(index: Path, corpus: Path, embedder: WordEmbedder) -> None:
    """And every one of ours that is shown is named."""
    shown = TestClient(create_app(index, embedder, serving=Serving(corpus=corpus))).get("/metrics").text
    ours = set(re.findall(r"^# TYPE (eunato_[a-z_]+?)(?:_total|_created)? ", shown, re.MULTILINE))
    named = {name.removesuffix("_total") for name in re.findall(r"`(eunato_[a-z_]+)`", PAGE)}
    assert named - {"eunato_snapshot_created_seconds"} <= ours
    assert ours - named <= {"eunato_snapshot_created_seconds", "eunato_snapshot_documents", "eunato_snapshot_passages"}
