"""Jobs, for real: processes, signals, a server that ends and another that goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.errors import JobConflict, NotFound
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import current_id, writing
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.jobs.dispatch import Dispatcher
from eunato_rag.serving.jobs.store import Job, JobStore
from tests.conftest import HARBOUR
from tests.serving.test_cli import run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

PATIENCE_S = 60.0


@pytest.fixture
def built(desk: Path) -> Path:
    """A desk with its index built, with the real model."""
    done = run("reindex", cwd=desk)
    assert done.returncode == 0, done.stderr
    return desk


@pytest.fixture
def client(built: Path, model: Embedder) -> Iterator[TestClient]:
    with TestClient(create_app(built / "index", model, serving=Serving(corpus=built / "corpus"))) as made:
        yield made


@pytest.fixture
def dispatcher(desk: Path) -> Iterator[Dispatcher]:
    made = Dispatcher(JobStore(desk / "index"), desk / "corpus")
    made.start()
    yield made
    for job in made.store.list(states=("queued", "running")):
        made.cancel(job.id)
    made.close()


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def over(store: JobStore, identity: str) -> Job:
    return eventually(lambda: (job := store.get(identity)).is_over and job)


def test_the_same_key_gives_the_same_job_and_another_request_is_refused(tmp_path: Path) -> None:
    """Idempotency: a client that lost the answer asks again."""
    store = JobStore(tmp_path)
    first, new = store.add("reindex", {"full": False}, "key-1")
    again, newer = store.add("reindex", {"full": False}, "key-1")
    assert (first.id, new, newer) == (again.id, True, False)
    with pytest.raises(JobConflict, match="asks for something else"):
        store.add("reindex", {"full": True}, "key-1")
    other, _ = store.add("reindex", {"full": False}, "key-2")
    assert other.id != first.id
    with pytest.raises(NotFound):
        store.get("nobody")


def test_a_queued_job_is_cancelled_at_once(tmp_path: Path) -> None:
    """No process was ever started for it."""
    store = JobStore(tmp_path)
    job, _ = store.add("reindex", {})
    assert Dispatcher(store, tmp_path).cancel(job.id).state == "cancelled"
    with pytest.raises(JobConflict), store.taking(job.id):
        pass


def test_what_happens_to_a_job_in_this_process_is_written_down(tmp_path: Path) -> None:
    """A fault of ours with its words, a foreign one by its type, an interruption as cancelled."""
    store = JobStore(tmp_path)
    for fault, state in ((NotFound("Nothing is there."), "failed"), (ZeroDivisionError(), "failed"), (KeyboardInterrupt(), "cancelled")):
        with pytest.raises(type(fault)), store.doing("reindex", {}):
            raise fault
        (job, *_) = store.list(limit=1)
        assert job.state == state
        assert not store.is_alive(job.id)
    assert [job.error for job in store.list(states=("failed",))] == [
        "Something failed inside the service: ZeroDivisionError.",
        "Nothing is there.",
    ]


def test_a_job_that_is_being_done_is_alive_and_nobody_elses(tmp_path: Path) -> None:
    """Its lock is held; to take it a second time is refused."""
    store = JobStore(tmp_path)
    with store.doing("reindex", {}) as job:
        assert JobStore(tmp_path).is_alive(job.id)
        assert store.get(job.id).pid == os.getpid()
        store.finish(job.id, "succeeded")
    with pytest.raises(JobConflict), store.taking(job.id):
        pass


def test_a_job_is_done_by_a_process_of_its_own(dispatcher: Dispatcher) -> None:
    """From queued to succeeded, with progress, a report and the snapshot that is now served."""
    job, _ = dispatcher.store.add("reindex", {})
    dispatcher.wake()
    done = over(dispatcher.store, job.id)
    assert (done.state, done.error) == ("succeeded", None)
    assert done.snapshot == current_id(dispatcher.store.index)
    assert done.report is not None
    assert (done.report["documents"], done.report["embedded"]) == (1, done.report["passages"])
    assert (done.stage, done.done, done.total) == ("publish", 1, 1)
    assert done.pid is None


def test_a_fault_is_told_and_leaves_no_index(dispatcher: Dispatcher) -> None:
    """An empty corpus: the job fails with the words a person needs."""
    for path in dispatcher.corpus.iterdir():
        path.unlink()
    job, _ = dispatcher.store.add("reindex", {})
    done = over(dispatcher.store, job.id)
    assert done.state == "failed"
    assert done.error is not None
    assert "No document in" in done.error
    assert not (dispatcher.store.index / "CURRENT").exists()


def test_a_running_job_is_cancelled_within_a_second(dispatcher: Dispatcher) -> None:
    """In the middle of the work; nothing is published, and the next job runs."""
    store = dispatcher.store
    with writing(store.index):  # the worker waits for the index: it is certainly at work
        job, _ = store.add("reindex", {})
        eventually(lambda: store.get(job.id).stage == "waiting")
        began = time.monotonic()
        done = dispatcher.cancel(job.id)
        assert time.monotonic() - began < 1.0
    assert done.state == "cancelled"
    assert not (store.index / "CURRENT").exists()
    following, _ = store.add("reindex", {})
    assert over(store, following.id).state == "succeeded"


def test_a_killed_worker_is_begun_again(dispatcher: Dispatcher) -> None:
    """kill -9 in the middle: the job is taken up and succeeds at the second attempt."""
    store = dispatcher.store
    with writing(store.index):
        job, _ = store.add("reindex", {})
        eventually(lambda: store.get(job.id).stage == "waiting")
        pid = store.get(job.id).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: store.get(job.id).attempts == 2)
    done = over(store, job.id)
    assert (done.state, done.attempts) == ("succeeded", 2)


def test_a_job_survives_the_end_of_its_server(desk: Path) -> None:
    """The worker goes on alone; the next server finds it, waits for it, and does what comes after."""
    store = JobStore(desk / "index")
    first = Dispatcher(store, desk / "corpus")
    first.start()
    with writing(store.index):
        job, _ = store.add("reindex", {})
        eventually(lambda: store.get(job.id).stage == "waiting")
        first.close()
        second = Dispatcher(store, desk / "corpus")
        second.start()
        following, _ = store.add("reindex", {"full": True})
        time.sleep(0.6)
        assert store.get(job.id).attempts == 1
        assert store.get(following.id).state == "queued"
    assert over(store, job.id).state == "succeeded"
    assert over(store, following.id).state == "succeeded"
    second.close()


def test_of_two_servers_one_dispatches(dispatcher: Dispatcher) -> None:
    """Each job is done once, whoever took it."""
    other = Dispatcher(JobStore(dispatcher.store.index), dispatcher.corpus)
    other.start()
    jobs = [other.store.add("reindex", {"n": n})[0] for n in range(2)]
    for job in jobs:
        done = over(other.store, job.id)
        assert (done.state, done.attempts) == ("succeeded", 1)
    other.close()


def test_the_command_and_the_service_know_of_each_others_jobs(client: TestClient, built: Path) -> None:
    """A re-index in the terminal is in the service's list."""
    (job,) = client.get("/v1/jobs").json()["jobs"]
    assert (job["kind"], job["state"], job["snapshot"]) == ("reindex", "succeeded", current_id(built / "index"))


def wait_for(client: TestClient, accepted: Any) -> Any:
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["location"] == f"/v1/jobs/{accepted.json()['id']}"
    return eventually(lambda: (job := client.get(accepted.headers["location"]).json())["state"] not in ("queued", "running") and job)


def test_reindexing_over_http_serves_the_new_snapshot(client: TestClient, built: Path) -> None:
    """The corpus changes, a job is started twice with one key, and the next request is answered from the new snapshot."""
    before = client.get("/readyz").json()["snapshot"]
    report = built / "corpus" / "harbour.txt"
    report.write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    accepted = client.post("/v1/jobs", json={}, headers={"Idempotency-Key": "once"})
    again = client.post("/v1/jobs", json={}, headers={"Idempotency-Key": "once"})
    assert again.json()["id"] == accepted.json()["id"]
    job = wait_for(client, accepted)
    assert job["state"] == "succeeded"
    assert client.get("/readyz").json()["snapshot"] == job["snapshot"] != before
    assert client.post("/v1/jobs", json={"full": True}, headers={"Idempotency-Key": "once"}).status_code == 409

    listed = client.get("/v1/snapshots").json()["snapshots"]
    assert {(s["id"], s["current"]) for s in listed} == {(job["snapshot"], True), (before, False)}
    old = client.post("/v1/ask", json={"question": "When was the harbour dredged?", "snapshot": before}).json()
    new = client.post("/v1/ask", json={"question": "When was the harbour dredged?"}).json()
    assert ("2019" in old["answer"], old["snapshot"]) == (True, before)
    assert ("2018" in new["answer"], new["snapshot"]) == (True, job["snapshot"])
    assert client.post(f"/v1/snapshots/{before}/activate").status_code == 200
    assert client.get("/readyz").json()["snapshot"] == before
    assert client.post("/v1/snapshots/000000000000/activate").status_code == 404
    assert client.post("/v1/snapshots/rollback").status_code == 200
    assert client.get("/readyz").json()["snapshot"] == job["snapshot"]
    assert client.post("/v1/ask", json={"question": "Why?", "snapshot": "../../etc"}).status_code == 404


def test_snapshots_are_verified_and_pruned(client: TestClient, built: Path) -> None:
    """One that is damaged is named where every file is looked at; the served one is never deleted."""
    before = client.get("/readyz").json()["snapshot"]
    (built / "corpus" / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    served = wait_for(client, client.post("/v1/jobs"))["snapshot"]
    (built / "index" / "snapshots" / before / "vectors" / "flat.faiss").write_bytes(b"nothing")
    faults = {s["id"]: s["fault"] for s in client.get("/v1/snapshots", params={"verify": True}).json()["snapshots"]}
    assert (faults[served], "checksum" in faults[before]) == (None, True)
    assert client.post("/v1/snapshots/rollback").status_code == 404
    assert client.post("/v1/snapshots/prune", json={"keep": 0}).status_code == 422
    assert [s["id"] for s in client.post("/v1/snapshots/prune", json={"keep": 1}).json()["snapshots"]] == [served]


def test_a_watch_begins_a_job_for_what_changed_and_none_for_what_jobs_did(built: Path, model: Embedder) -> None:
    """What changed before the server began is found, too; an upload needs no second job."""
    (built / "corpus" / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    serving = Serving(corpus=built / "corpus", watch=True)
    with TestClient(create_app(built / "index", model, serving=serving)) as client:

        def jobs() -> list[dict[str, Any]]:
            """Those after the command that built the index, newest first."""
            return client.get("/v1/jobs").json()["jobs"][:-1]

        eventually(lambda: [job for job in jobs() if job["state"] == "succeeded"])
        asked = client.post("/v1/ask", json={"question": "When was the harbour dredged?"}).json()
        assert "2018" in asked["answer"]
        wait_for(client, client.post("/v1/documents", files={"file": ("pilots.txt", b"Pilots\n\nThe pilots paint the lighthouse.\n")}))
        time.sleep(3.5)
        assert [job["kind"] for job in jobs()] == ["add", "reindex"]
        (built / "corpus" / "harbour.txt").unlink()
        eventually(lambda: [job["kind"] for job in jobs()] == ["reindex", "add", "reindex"])
        eventually(lambda: jobs()[0]["state"] == "succeeded")


def test_a_document_is_uploaded_and_removed_again(client: TestClient, built: Path) -> None:
    """It is found after the first job and not after the second; its file is kept aside. Its name is never a path."""
    text = b"Lighthouse Notes\n\nThe lighthouse at Karn was painted white in 1987 by the pilots.\n"
    job = wait_for(client, client.post("/v1/documents", files={"file": ("../../../etc/Lighthouse Notes.exe", text)}))
    assert (job["state"], job["kind"]) == ("succeeded", "add"), job
    assert list((built / "index" / "jobs" / "uploads").iterdir()) == [], "what was set aside is in the corpus now"
    (path,) = (built / "corpus" / "uploaded").iterdir()
    assert path.name.startswith("lighthouse-notes-")
    assert path.suffix == ".txt"
    found = client.post("/v1/quotes", json={"quote": "painted white in 1987"}).json()
    assert found["status"] == "exact"
    assert wait_for(client, client.post("/v1/documents", files={"file": ("Lighthouse Notes", text)}))["report"]["counts"]["unchanged"] == 2
    identity = found["matches"][0]["document"]["id"]
    job = wait_for(client, client.delete(f"/v1/documents/{identity}"))
    assert (job["state"], job["kind"]) == ("succeeded", "remove")
    assert client.post("/v1/quotes", json={"quote": "painted white in 1987"}).json()["status"] == "absent"
    assert [kept.read_bytes() for kept in (built / "corpus" / ".removed").iterdir()] == [text]
    assert client.delete(f"/v1/documents/{identity}").status_code == 404


@pytest.mark.parametrize(("data", "why"), [(b"", "empty"), (b"\x7fELF\x00\x01", "none of PDF"), (b"PK\x03\x04junk", "damaged archive")])
def test_what_is_no_document_is_refused_before_any_job(client: TestClient, data: bytes, why: str) -> None:
    """By content, whatever the name says."""
    refused = client.post("/v1/documents", files={"file": ("report.pdf", data)})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_text")
    assert why in refused.json()["detail"]


def test_an_unreadable_upload_fails_its_job_and_changes_nothing(client: TestClient, built: Path) -> None:
    """A PDF in name and first bytes only: the job says why, the corpus is as it was."""
    before = client.get("/readyz").json()["snapshot"]
    job = wait_for(client, client.post("/v1/documents", files={"file": ("a.pdf", b"%PDF-1.7 nothing more")}))
    assert job["state"] == "failed"
    assert not (built / "corpus" / "uploaded").exists()
    assert client.get("/readyz").json()["snapshot"] == before


def test_a_jobs_events_end_with_the_job(client: TestClient) -> None:
    """Progress as it goes on, then the whole of it."""
    accepted = client.post("/v1/jobs").json()
    with client.stream("GET", f"/v1/jobs/{accepted['id']}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = [frame.split("\n") for frame in response.read().decode().strip().split("\n\n")]
    names = [frame[0].removeprefix("event: ") for frame in frames]
    assert names[-1] == "job"
    assert set(names[:-1]) == {"progress"}
    assert json.loads(frames[-1][1].removeprefix("data: "))["state"] == "succeeded"
    assert client.get("/v1/jobs/nobody/events").status_code == 404


def test_a_job_is_cancelled_over_http(client: TestClient, built: Path) -> None:
    """And one that is over stays as it is."""
    with writing(built / "index"):
        job = client.post("/v1/jobs").json()
        eventually(lambda: client.get(f"/v1/jobs/{job['id']}").json()["progress"]["stage"] == "waiting")
        assert client.post(f"/v1/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    (first,) = [j for j in client.get("/v1/jobs").json()["jobs"] if j["state"] == "succeeded"]
    assert client.post(f"/v1/jobs/{first['id']}/cancel").json()["state"] == "succeeded"
    assert client.post("/v1/jobs/nobody/cancel").status_code == 404


def test_questions_are_answered_while_a_job_runs(client: TestClient) -> None:
    """None fails, each from a whole snapshot."""
    failed: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = client.post("/v1/ask", json={"question": "When was the harbour dredged?"})
            if answer.status_code != 200 or "2019" not in answer.json()["answer"]:
                failed.append(answer.text)

    asking = threading.Thread(target=ask)
    asking.start()
    job = wait_for(client, client.post("/v1/jobs", json={"full": True}))
    stop.set()
    asking.join()
    assert (job["state"], failed) == ("succeeded", [])
