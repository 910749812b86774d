"""Raw figures of a benchmark: parts by name in one JSON file, each written as soon as it is measured.

So a run that was broken off goes on with the part that it had begun, and a document is made of the file at any later time.
The file says on which machine and with which packages it was measured; figures of different machines are never mixed.
Left out: what a part is, and what is made of it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("eunato-rag", "faiss-cpu", "onnxruntime", "numpy", "tokenizers")
PEERS: Mapping[str, tuple[str, ...]] = {
    "txtai": ("txtai", "torch", "transformers"),
    "haystack": ("haystack-ai", "sentence-transformers", "torch"),
    "llamaindex": ("llama-index-core", "sentence-transformers", "torch"),
}
"""The peers that can be measured, and of which packages the version is told."""
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"

Figures = dict[str, Any]


class RunFailed(Exception):
    """A process that ended without figures; the message is the last line of its error."""


class Raw:
    """The parts measured so far, in their order. `settings` say how: a file measured in another way is not gone on with."""

    def __init__(self, path: Path, kind: str, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._whole: Figures = {"kind": kind, "settings": dict(settings), "machine": machine(), "peers": {}, "parts": {}, "failed": {}}
        if path.is_file():
            found = json.loads(path.read_text("utf-8"))
            for name in ("kind", "settings", "machine"):
                if found.get(name) != self._whole[name]:
                    sys.exit(
                        f"{path} was measured with another {name}: {found.get(name)}, not {self._whole[name]}. "
                        "Name another file, or delete this one to measure anew."
                    )
            self._whole = found

    @property
    def parts(self) -> dict[str, Figures]:
        return dict(self._whole["parts"])

    def part(self, name: str, measure: Callable[[], Figures]) -> Figures | None:
        """The figures of a part, measured unless they are here; None where that failed, which the file tells."""
        if name in self._whole["parts"]:
            say(f"{name}: known")
            return dict(self._whole["parts"][name])
        say(f"{name} ...")
        began = time.perf_counter()
        try:
            figures = measure()
        except RunFailed as error:
            self._whole["failed"][name] = str(error)
            self._save()
            say(f"{name}: failed: {error}")
            return None
        self._whole["failed"].pop(name, None)
        when, load = datetime.now(UTC).isoformat(timespec="seconds"), round(os.getloadavg()[0], 1)
        self._whole["parts"][name] = {**figures, "measured": when, "load_average": load}
        self._save()
        say(f"{name}: {time.perf_counter() - began:.0f} s")
        return figures

    def forget(self, names: Iterable[str]) -> None:
        """These are to be measured again."""
        for name in names:
            self._whole["parts"].pop(name, None)

    def peer(self, name: str, python: Path) -> None:
        """Write down what is installed in a peer's environment."""
        if name not in self._whole["peers"]:
            self._whole["peers"][name] = output(python, "-c", _VERSIONS, *PEERS[name])

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(json.dumps(self._whole, indent=1) + "\n", "utf-8")
        fresh.replace(self.path)


def machine() -> Figures:
    """What the figures depend on: processor, cores, memory in GB (2^30), system, Python, packages."""
    info = Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def output(*command: str | Path) -> Any:
    """The JSON that a command, run in the project's folder, prints last.

    Raises:
        RunFailed: it failed, or printed none.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=ROOT)
    said = done.stderr.strip().splitlines() or ["nothing on its standard error"]
    if done.returncode:
        raise RunFailed(f"{said[-1]} (exit status {done.returncode})")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RunFailed(f"no figures printed; {said[-1]}") from error


def step(module: str, *arguments: str | Path) -> Figures:
    """What a benchmark's own step prints, run in a process of its own, so that imports, time and memory are its own."""
    figures: Figures = output(sys.executable, "-m", f"tests.benchmarks.{module}", *arguments)
    return figures


def environments(folder: Path | None, wanted: Sequence[str] = tuple(PEERS)) -> dict[str, Path]:
    """The Python of each wanted peer that has an environment in the folder; who has none is said."""
    found: dict[str, Path] = {}
    if folder is None:
        return found
    for name in wanted:
        python = folder / name / "bin" / "python"
        if python.exists():
            found[name] = python.absolute()
        else:
            say(f"{name} is skipped: it has no environment in {folder}")
    return found


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)
