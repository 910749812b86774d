"""`eunato-rag eval` over small folders with the real model: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from eunato_rag.errors import CorpusError
from eunato_rag.serving.cli import app


@pytest.fixture(autouse=True)
def _index(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index folder that holds the exported model and no index."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(models)
    monkeypatch.setenv("EUNATO_INDEX", str(tmp_path / "index"))


def evaluated(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def test_a_test_collection_is_indexed_beside_the_projects_index(squad: Path, tmp_path: Path) -> None:
    """Nothing of the project's own index is needed or touched."""
    done = evaluated(squad, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert (figures["collection"], figures["form"], figures["all"]["questions"]) == ("squad", "spans", 3)
    assert figures["all"]["retrieval"]["Success@1"] == 1.0
    assert figures["all"]["answers"]["cited"] == 1.0
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["eval", "models"]


def test_the_work_folder_can_be_chosen(beir: Path, tmp_path: Path) -> None:
    """The table has a row for each measure."""
    done = evaluated(beir, "--work", tmp_path / "work")
    assert (done.exit_code, (tmp_path / "work" / "CURRENT").exists()) == (0, True)
    assert any(row.split()[:3] == ["retrieval", "nDCG@10", "1.000"] for row in done.stdout.splitlines())


def test_rows_a_sample_and_a_curve(squad: Path, tmp_path: Path) -> None:
    """Two of the three questions, evenly spaced."""
    done = evaluated(squad, "--limit", 2, "--json", "--rows", "--plot", tmp_path / "curve.svg")
    assert [row["id"] for row in json.loads(done.stdout)] == ["q1", "q2"]
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_a_fall_below_the_baseline_is_exit_code_1(squad: Path, tmp_path: Path) -> None:
    """And says which figure; the same figures are exit code 0, other questions an error before anything is asked."""
    path = tmp_path / "baseline.json"
    assert evaluated(squad, "--write-baseline", path).exit_code == 0
    assert evaluated(squad, "--baseline", path).exit_code == 0
    table = json.loads(path.read_text())
    table["figures"]["all.citations.precision"] = 1.5
    path.write_text(json.dumps(table))
    done = evaluated(squad, "--baseline", path)
    assert done.exit_code == 1
    assert "WORSE all.citations.precision: 1.500 before" in done.stderr
    other = evaluated(squad, "--limit", 1, "--baseline", path)
    assert isinstance(other.exception, CorpusError)


def test_passages_alone_have_no_curve(beir: Path, tmp_path: Path) -> None:
    """Risk is that of answers."""
    done = evaluated(beir, "--plot", tmp_path / "curve.svg")
    assert isinstance(done.exception, CorpusError)
    assert not (tmp_path / "curve.svg").exists()
