"""No pickle is read anywhere: not in the service, not in its jobs, not in the processes that read files.

Each process of a real service is told, before its first import, to write down every pickle that wants a class or a
function (`pickle.find_class`, PEP 578) and to fail; only such a pickle can run code.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from eunato_rag.indexing.embedding import Embedder

WATCH = """
import os, sys

def watch(event, arguments):
    if event == "pickle.find_class":
        write(f"pickle {arguments}")
        raise RuntimeError(f"a pickle wants {arguments}")

def write(line):
    with open(os.environ["WATCHED"], "a") as file:
        print(line, file=file)

write(f"process {sys.orig_argv}")
sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What every new Python process writes into: its arguments, and the pickles that it reads."""
    (tmp_path / "watching").mkdir()
    (tmp_path / "watching" / "sitecustomize.py").write_text(WATCH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watching"))
    monkeypatch.setenv("WATCHED", str(tmp_path / "watched.txt"))
    return tmp_path / "watched.txt"


def test_a_pickle_would_be_seen(watched: Path) -> None:
    """One that only looks a function up, in another process."""
    done = subprocess.run(
        [sys.executable, "-c", "import pickle, os; pickle.loads(pickle.dumps(os.getcwd))"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "pickle ('posix', 'getcwd')" in watched.read_text()


def test_no_pickle_is_read_by_a_service_that_builds_answers_and_builds_again(
    watched: Path, tmp_path: Path, corpus: Path, models: Path, model: Embedder
) -> None:
    """With the real model, and documents of every kind that foreign code parses."""
    canvas = Canvas(str(corpus / "pilots.pdf"))
    canvas.drawString(72, 720, "The pilots of Lindholm know every shoal of the northern channel.")
    canvas.save()
    written = docx.Document()
    written.add_paragraph("The lighthouse of Lindholm was lit in 1874.")
    written.save(str(corpus / "lighthouse.docx"))
    index = tmp_path / "index"
    index.mkdir()
    (index / "models").symlink_to(models)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from eunato_rag.serving.cli import main; main()",
        "serve",
        "--port",
        str(port),
        "--corpus",
        str(corpus),
        "--index",
        str(index),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        try:
            wait_for(port, "/readyz", process)
            answer = call(port, "POST", "/v1/ask", {"question": "When was the lighthouse of Lindholm lit?"})
            call(port, "POST", "/v1/drafts", {"text": "The lighthouse of Lindholm was lit in 1874."})
            (corpus / "buoys.html").write_text("<h1>Buoys</h1><p>The buoys of Lindholm are painted each spring.</p>")
            job = call(port, "POST", "/v1/jobs", {"kind": "reindex"})
            deadline = time.monotonic() + 120
            while job["state"] not in ("succeeded", "failed") and time.monotonic() < deadline:
                time.sleep(0.1)
                job = call(port, "GET", f"/v1/jobs/{job['id']}")
        finally:
            process.terminate()
        log = process.communicate(timeout=60)[1]
    lines = watched.read_text().splitlines()
    assert [line for line in lines if not line.startswith("process ")] == []
    started = " ".join(lines)
    assert "eunato_rag.serving.cli" in started
    assert "eunato_rag.ingestion.isolation" in started
    assert "eunato_rag.serving.jobs.worker" in started
    assert "1874" in str(answer["answer"]), log
    assert job["state"] == "succeeded", log


def wait_for(port: int, path: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            call(port, "GET", path)
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service did not come up")


def call(port: int, method: str, path: str, body: object = None) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status < 400, response.read()
        return json.load(response)
    finally:
        connection.close()
