"""The command line, run as a person does, and off the network."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.conftest import HARBOUR, MANIFEST, ROOT

NO_NETWORK = """
import socket, sys
def closed(*arguments, **named):
    raise AssertionError(f"the network was reached for: {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = closed
from eunato_rag.serving.cli import main
sys.argv = ["eunato-rag", *sys.argv[1:]]
main()
"""


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own in which every way to the network fails."""
    return subprocess.run(
        [sys.executable, "-c", NO_NETWORK, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_reindex_then_ask_without_a_network(desk: Path) -> None:
    """From files to a cited answer with every socket closed; the progress and the report are told."""
    built = run("reindex", cwd=desk)
    assert built.returncode == 0, built.stderr
    assert "1 documents" in built.stderr
    assert "embed" in built.stderr
    asked = run("ask", "When was the harbour dredged?", cwd=desk)
    assert asked.returncode == 0, asked.stderr
    assert "The harbour at Lindholm was dredged in 2019 [1]." in asked.stdout
    assert "note 1: Port Authority" in asked.stdout
    refused = run("ask", "How do I bake a sourdough loaf?", cwd=desk)
    assert "The documents do not answer this question." in refused.stdout


def test_json_has_the_shapes_of_the_api(desk: Path) -> None:
    """Nothing but JSON on standard output."""
    report = json.loads(run("reindex", "--json", cwd=desk).stdout)
    assert {"snapshot", "documents", "passages", "embedded", "reused", "failed"} <= set(report)
    assert json.loads(run("ask", "When was the harbour dredged?", "--json", cwd=desk).stdout)["snapshot"] == report["snapshot"]
    assert len(json.loads(run("search", "dredging", "--top-k", "2", "--json", cwd=desk).stdout)["hits"]) == 2


def test_reindex_tells_by_its_exit_code(desk: Path) -> None:
    """0 done, 1 some documents failed, 2 nothing could be built."""
    (desk / "corpus" / "empty.txt").touch()
    some = run("reindex", cwd=desk)
    assert some.returncode == 1
    assert "FAILED empty.txt: empty.txt is empty" in some.stderr
    none = run("reindex", "--corpus", "nowhere", cwd=desk)
    assert (none.returncode, none.stderr) == (
        2,
        "Error: There is no corpus folder at nowhere. Make it, put documents in it, or name another: --corpus DIR\n",
    )


def test_errors_are_one_line_that_says_what_to_do(desk: Path) -> None:
    """No traceback, whatever is wrong."""
    assert run("ask", "Anything?", cwd=desk).stderr == "Error: There is no index in index. Run: eunato-rag reindex\n"
    assert "EUNATO_CORPSE is no setting" in run("reindex", cwd=desk, EUNATO_CORPSE="x").stderr
    assert "No weights for the embedding model 'no/such'" in run("reindex", cwd=desk, EUNATO_EMBEDDING__MODEL="no/such").stderr
    run("reindex", cwd=desk)
    empty = run("ask", " ", cwd=desk)
    assert (empty.returncode, empty.stderr.startswith("Error: The question is empty.")) == (2, True)


def test_doctor_tells_what_is_sound_stale_and_broken(desk: Path) -> None:
    """With the command that mends it, and an exit code."""
    fresh = run("doctor", cwd=desk)
    assert (fresh.returncode, "eunato-rag reindex" in fresh.stdout) == (0, True)
    run("reindex", cwd=desk)
    assert "sound: 1 documents" in run("doctor", cwd=desk).stdout
    (desk / "corpus" / "harbour.txt").write_text(HARBOUR + "\nMore.\n")
    assert re.search(r"note .*older than the corpus: harbour\.txt.*reindex", run("doctor", cwd=desk).stdout)
    (next((desk / "index" / "snapshots").iterdir()) / "vectors" / "flat.faiss").write_bytes(b"nothing")
    broken = run("doctor", cwd=desk)
    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout


def test_serve_builds_the_index_and_answers_over_http(desk: Path) -> None:
    """As a new user would: one command, then a question; it ends at a signal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "eunato_rag", "serve", "--port", str(port)], cwd=desk, stderr=subprocess.DEVNULL)
    try:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/ask",
            data=json.dumps({"question": "When was the harbour dredged?"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        for _ in range(300):
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    answer = json.load(response)
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        assert "was dredged in 2019 [1]." in answer["answer"]
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    assert code == 0


def test_notes_tell_the_footnote_graph(desk: Path) -> None:
    """Each note with its sentence and its work, as text and as JSON, and the coverage."""
    (desk / "corpus" / "sources.toml").write_text(MANIFEST, "utf-8")
    run("reindex", cwd=desk)
    told = run("notes", cwd=desk).stdout
    assert "1. Port Authority, Dredging at Lindholm, 2019" in told
    assert "cites: Dredging at Lindholm (port-2019)" in told
    assert "at: The harbour at Lindholm was dredged in 2019." in told
    assert "notes 1  anchored 1  resolved 1" in told
    (graph,) = json.loads(run("notes", "harbour-2020", "--json", cwd=desk).stdout)
    assert graph["coverage"]["resolved"] == 1
    assert "There is no document 'nothing'" in run("notes", "nothing", cwd=desk).stderr


def test_fetch_tells_what_it_would_do_without_asking_anybody(desk: Path) -> None:
    """A dry run with every socket closed; an unknown work is an error."""
    (desk / "corpus" / "sources.toml").write_text(MANIFEST, "utf-8")
    told = run("fetch", "--dry-run", cwd=desk)
    assert told.returncode == 0
    assert "present" in told.stdout.splitlines()[0]
    assert "would_fetch" in told.stdout.splitlines()[1]
    assert "https://port.example/dredging" in told.stdout
    assert "no work 'nothing'" in run("fetch", "nothing", cwd=desk).stderr


def test_eval_measures_a_folder_of_questions(desk: Path) -> None:
    """And says so where there is none."""
    run("reindex", cwd=desk)
    missing = run("eval", "nowhere", cwd=desk)
    assert (missing.returncode, "There is no folder nowhere" in missing.stderr) == (2, True)
    text = (desk / "corpus" / "harbour.txt").read_text()
    document = json.loads(run("search", "x", "--json", cwd=desk).stdout)["hits"][0]["document"]["id"]
    quote = "The dredging was late because the barge broke down."
    assert quote in text
    rows = [
        {
            "id": "a",
            "kind": "fact",
            "question": "Why was the dredging late?",
            "evidence": [{"document": document, "start": 247, "end": 298, "quote": quote}],
        },
        {"id": "b", "kind": "off_topic", "question": "Who won the chess cup?", "evidence": []},
    ]
    (desk / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = json.loads(run("eval", ".", "--json", cwd=desk).stdout)
    assert report["all"]["refused"] == {"off_topic": 1.0}
    assert report["all"]["citations"]["verified"] == 1.0
    (desk / "questions.jsonl").write_text('{"id": "a"}')
    assert "line 1: 'kind' should be text" in run("eval", ".", cwd=desk).stderr
