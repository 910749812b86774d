"""The soak of tests/benchmarks works: some seconds of it, so that it is there when it is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_some_seconds_of_the_soak_find_no_fault(paper_index: Path) -> None:
    """All that readers and an operator do against a real service, every answer checked. For figures: make soak."""
    script = ROOT / "tests" / "benchmarks" / "soak.py"
    done = subprocess.run(
        [sys.executable, str(script), "--seconds", "6", "--clients", "6", "--index", str(paper_index)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (total,) = (line.split() for line in done.stdout.splitlines() if line.startswith("all "))
    assert int(total[1].replace(",", "")) >= 6
    assert "FAULT" not in done.stdout
