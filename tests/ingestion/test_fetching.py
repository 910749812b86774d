"""Fetching, against a real server on loopback that does what publishers' servers do."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from filelock import FileLock

from eunato_rag.errors import CorpusError, ManifestError, NotFound
from eunato_rag.ingestion.addresses import AddressRefused, check, is_public, resolve_host
from eunato_rag.ingestion.downloading import Limits, make_client
from eunato_rag.ingestion.fetched import fetched_files, kind_of
from eunato_rag.ingestion.fetching import FetchReport, Outcome, Step, fetch
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.records import Work

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
PAGE = b"<!DOCTYPE html>\n<html><body><p>Not the document itself.</p></body></html>"
MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"
Answer = Callable[["Asked"], None]


@dataclass
class Site:
    """A server: what it answers under each path, and what it was asked."""

    base: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def headers(self, number: int = -1) -> dict[str, str]:
        return self.asked[number][1]


class Asked(BaseHTTPRequestHandler):
    """One request to the site."""

    server: Server

    def do_GET(self) -> None:
        site = self.server.site
        site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        site.answers.get(self.path, lambda asked: asked.say(404, b"gone"))(self)

    def say(self, status: int, body: bytes = b"", *, sent: int | None = None, **headers: str) -> None:
        """An answer with its length; `sent` bytes of the body are sent, all of them where it is not given."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **{key.replace("_", "-"): v for key, v in headers.items()}}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client hung up, which some tests are about


@pytest.fixture
def site() -> Iterator[Site]:
    with Server(("127.0.0.1", 0), Asked) as server:
        server.site = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        yield server.site
        server.site.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with make_client() as made:
        yield made


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self, tick: float = 0.0) -> None:
        self.now, self.tick = 100.0, tick
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        self.now += self.tick
        return self.now


class Run:
    """Fetching into a folder, on loopback, with a time of its own."""

    def __init__(self, folder: Path, client: httpx2.Client) -> None:
        self.folder, self.client, self.time = folder, client, Time()
        self.limits = Limits(delay=0, jitter=0, timeout=5)

    def __call__(self, *works: Work, allow_private: bool = True, **options: object) -> FetchReport:
        given = {"limits": self.limits, "client": self.client, "sleep": self.time.sleep, "clock": self.time.clock}
        return fetch(Manifest(works), self.folder, allow_private=allow_private, **{**given, **options})  # type: ignore[arg-type]

    def one(self, work: Work, **options: object) -> Outcome:
        (outcome,) = self(work, **options).outcomes  # type: ignore[arg-type]
        return outcome

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "fetched").iterdir() if path.name != ".lock")


@pytest.fixture
def run(tmp_path: Path, client: httpx2.Client) -> Run:
    return Run(tmp_path, client)


def work(address: str | None, *alternates: str, name: str = "report-2024", form: str | None = "pdf", file: str | None = None) -> Work:
    csl = {"id": name, "title": "Report"} | ({"URL": address} if address else {})
    return Work(name, csl, file=file, format=form, alternates=alternates)


def body(content: bytes, **headers: str) -> Answer:
    return lambda asked: asked.say(200, content, **headers)


def onward(location: str, status: int = 302) -> Answer:
    return lambda asked: asked.say(status, Location=location)


def in_turn(*answers: Answer) -> Answer:
    """Each answer once, the last for ever."""
    left = list(answers)
    return lambda asked: (left.pop(0) if len(left) > 1 else left[0])(asked)


def ranged(content: bytes, first: int, etag: str = '"one"') -> Answer:
    """A server with ranges, whose first answer ends after `first` bytes."""
    cut = [first]

    def answer(asked: Asked) -> None:
        start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start and asked.headers["If-Range"] == etag:
            asked.say(206, content[start:], ETag=etag, Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            asked.say(200, content, sent=cut.pop() if cut else None, ETag=etag)

    return answer


# What is brought, and what is remembered of it


def test_brings_a_work(site: Site, run: Run) -> None:
    """A work is brought under its id, with the suffix of its content, its checksum and the address that served it."""
    site.answers["/paper"] = body(PDF, Content_Type="text/html", ETag='"v1"')
    outcome = run.one(work(f"{site.base}/paper#page=3"))
    digest = hashlib.sha256(PDF).hexdigest()
    assert outcome == Outcome("report-2024", "fetched", "fetched/report-2024.pdf", "", len(PDF), digest, f"{site.base}/paper")
    assert (run.folder / "fetched/report-2024.pdf").read_bytes() == PDF
    assert run.names() == ["fetched.json", "report-2024.pdf"]
    assert fetched_files(run.folder) == {"fetched/report-2024.pdf": "report-2024"}
    entry = json.loads((run.folder / "fetched/fetched.json").read_text())["works"]["report-2024"]
    assert (entry["etag"], entry["content_type"], entry["bytes"], entry["sha256"]) == ('"v1"', "text/html", len(PDF), digest)


def test_says_who_asks(site: Site, run: Run) -> None:
    """Every request names the project and its version, and asks for the bytes as they are."""
    site.answers["/paper"] = body(PDF)
    run.one(work(f"{site.base}/paper"))
    assert site.headers()["user-agent"].startswith("eunato-rag/0.")
    assert "README" in site.headers()["user-agent"]
    assert site.headers()["accept-encoding"] == "identity"
    assert site.headers()["host"] == site.base.removeprefix("http://")


def test_asks_whether_it_changed(site: Site, run: Run) -> None:
    """The next run sends the validators, and 304 leaves the file alone."""

    def answer(asked: Asked) -> None:
        if asked.headers.get("If-None-Match") == '"v1"':
            asked.send_response(304)
            asked.end_headers()
        else:
            asked.say(200, PDF, ETag='"v1"', Last_Modified=MODIFIED)

    site.answers |= {"/old": onward("/paper"), "/paper": answer}
    first, second = run.one(work(f"{site.base}/old")), run.one(work(f"{site.base}/old"))
    assert second == Outcome("report-2024", "not_modified", first.path, "", first.bytes, first.sha256, f"{site.base}/paper")
    assert "if-none-match" not in site.headers(2), "a validator is for the address that gave it, not for the one that leads there"
    assert site.headers(3)["if-modified-since"] == MODIFIED


def test_brings_a_changed_work_anew(site: Site, run: Run) -> None:
    """A new text replaces the old one, also under another suffix; the same bytes served again count as not modified."""
    site.answers["/paper"] = in_turn(body(PDF), body(PDF), body(PAGE))
    states = [run.one(work(f"{site.base}/paper", form=None)).state for _ in range(3)]
    assert states == ["fetched", "not_modified", "fetched"]
    assert run.names() == ["fetched.json", "report-2024.html"]


@pytest.mark.parametrize("meddle", [Path.unlink, lambda path: path.write_bytes(b"%PDF-else")])
def test_mends_a_damaged_copy(site: Site, run: Run, meddle: Callable[[Path], object]) -> None:
    """A copy that was changed or deleted is brought anew, unconditionally."""
    site.answers["/paper"] = body(PDF, ETag='"v1"')
    run.one(work(f"{site.base}/paper"))
    meddle(run.folder / "fetched/report-2024.pdf")
    assert run.one(work(f"{site.base}/paper")).state == "fetched"
    assert "if-none-match" not in site.headers()
    assert (run.folder / "fetched/report-2024.pdf").read_bytes() == PDF


def test_present_and_without_address(site: Site, run: Run) -> None:
    """A work with its file in the corpus is present, one without address is listed as such, and neither is asked for."""
    (run.folder / "here.txt").write_text("here")
    (run.folder / "fetched").mkdir()
    (run.folder / "fetched/own.pdf").write_bytes(b"%PDF-mine")
    report = run(
        work(f"{site.base}/a", name="here", file="here.txt"),
        work(f"{site.base}/b", name="own"),
        work(None, name="nowhere"),
        work(f"{site.base}/c", name="away", file="away.pdf"),
    )
    assert [outcome.state for outcome in report.outcomes] == ["present", "present", "missing_address", "failed"]
    assert [path for path, _ in site.asked] == ["/c"]
    assert (run.folder / "fetched/own.pdf").read_bytes() == b"%PDF-mine", "what somebody else put there is left alone"
    assert report.having("failed")[0].reason == "404 Not Found"


def test_dry_run(site: Site, run: Run) -> None:
    """A dry run asks nobody and writes nothing."""
    outcome = run.one(work(f"{site.base}/paper"), dry_run=True)
    assert (outcome.state, outcome.url) == ("would_fetch", f"{site.base}/paper")
    assert not site.asked
    assert not list(run.folder.iterdir())


def test_only_some(site: Site, run: Run) -> None:
    """Only the works that are named are brought; a name that the manifest does not have is an error."""
    site.answers |= {"/a": body(PDF), "/b": body(PDF)}
    works = work(f"{site.base}/a", name="a"), work(f"{site.base}/b", name="b")
    assert [outcome.work for outcome in run(*works, only=["b"]).outcomes] == ["b"]
    with pytest.raises(NotFound, match="no work 'c'"):
        run(*works, only=["c"])


def test_an_id_that_is_no_file_name(site: Site, run: Run) -> None:
    """An id with a path in it stays inside the folder."""
    site.answers["/paper"] = body(PDF)
    outcome = run.one(work(f"{site.base}/paper", name="../../etc/ü"))
    assert outcome.path is not None
    assert outcome.path.startswith("fetched/etc-")
    assert fetched_files(run.folder) == {outcome.path: "../../etc/ü"}


def test_state_file(run: Run) -> None:
    """Without a state file nothing was fetched; a malformed one is an error that says how to mend it."""
    assert fetched_files(run.folder) == {}
    (run.folder / "fetched").mkdir()
    entry = {"url": "u", "final_url": "u", "etag": None, "last_modified": None}
    entry |= {"sha256": "", "bytes": 1, "content_type": None, "fetched_at": ""}
    for text in ("{", "[]", '{"works": {"a": {}}}', *(json.dumps({"works": {"a": {**entry, "file": f}}}) for f in ("../x", 3))):
        (run.folder / "fetched/fetched.json").write_text(text)
        with pytest.raises(ManifestError, match="run: eunato-rag fetch"):
            fetched_files(run.folder)


def test_two_runs_at_once(site: Site, run: Run) -> None:
    """A second run in the same folder is refused."""
    (run.folder / "fetched").mkdir()
    with FileLock(run.folder / "fetched/.lock"), pytest.raises(CorpusError, match="Another process is fetching"):
        run.one(work(f"{site.base}/paper"))


def test_progress(site: Site, run: Run) -> None:
    """Progress tells bytes against the announced length, and each work's outcome at its end."""
    site.answers["/paper"] = body(PDF)
    steps: list[Step] = []
    outcome = run.one(work(f"{site.base}/paper"), progress=steps.append)
    assert steps[-1] == Step("report-2024", len(PDF), len(PDF), outcome)
    assert steps[-2] == Step("report-2024", len(PDF), len(PDF))


# Type by content


def test_html_for_pdf(site: Site, run: Run) -> None:
    """A landing page in place of a PDF is refused by its content, whatever its label says; the alternates are tried."""
    site.answers |= {"/land.pdf": body(PAGE, Content_Type="application/pdf"), "/real": body(PDF)}
    failed = run.one(work(f"{site.base}/land.pdf"))
    assert (failed.state, failed.reason, failed.path) == ("failed", "it served HTML, not PDF", None)
    assert run.names() == []
    assert run.one(work(f"{site.base}/land.pdf", f"{site.base}/real")).url == f"{site.base}/real"
    both = run.one(work(f"{site.base}/land.pdf", f"{site.base}/none", name="b"))
    assert both.reason == f"{site.base}/land.pdf: it served HTML, not PDF; {site.base}/none: 404 Not Found"


def test_html_kept_with_a_remark(site: Site, run: Run) -> None:
    """For a work that is a web page, a page under an address that promises a PDF is kept where nothing better is had."""
    site.answers |= {"/a.pdf": body(PAGE), "/better": body(PAGE + b"<p>")}
    kept = run.one(work(f"{site.base}/a.pdf", f"{site.base}/none", form="html", name="a"))
    assert (kept.state, kept.path, kept.reason) == ("fetched", "fetched/a.html", "it served HTML, not the PDF that the address promises")
    assert run.one(work(f"{site.base}/a.pdf", f"{site.base}/better", form="html", name="b")).url == f"{site.base}/better"
    assert run.names() == ["a.html", "b.html", "fetched.json"]


def _docx(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "<w:document/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "pdf"),
        (b"\r\n\x00junk %PDF-1.4", "pdf"),
        (PAGE, "html"),
        (b"\xef\xbb\xbf  <!-- a --><!-- b -->\n<HTML lang=el>", "html"),
        ("\ufeff<html>".encode("utf-16-le"), "html"),
        (b'<?xml version="1.0"?><html xmlns="x">', "html"),
        (b"<!---->" * 500, "text"),
        ("Čeština, ελληνικά, 5 < 6".encode(), "text"),
        (b"caf\xe9 in Latin-1", "text"),
        (_docx("word/document.xml"), "docx"),
        (_docx("xl/workbook.xml"), None),
        (b"PK\x03\x04 cut short", None),
        (b'<?xml version="1.0"?><rss/>', None),
        (b"\x89PNG\r\n\x1a\n\x00\x00", None),
        (b"", None),
    ],
)
def test_kind_of(tmp_path: Path, content: bytes, kind: str | None) -> None:
    """What a file is is read off its first bytes."""
    (tmp_path / "file").write_bytes(content)
    assert kind_of(tmp_path / "file") == kind


def test_unknown_content(site: Site, run: Run) -> None:
    """Content that no reader takes, or none at all, is a failure."""
    site.answers["/paper"] = body(b"")
    assert run.one(work(f"{site.base}/paper")).reason == "it served nothing that can be read"


# Trouble


def test_waits_as_asked(site: Site, run: Run) -> None:
    """429 is tried again after the seconds, or at the date by the server's clock, that Retry-After names, capped."""

    def until_a_date(asked: Asked) -> None:
        asked.send_response_only(429)
        for name, value in {"Date": MODIFIED, "Retry-After": MODIFIED.replace(":00 ", ":40 "), "Content-Length": "0"}.items():
            asked.send_header(name, value)
        asked.end_headers()

    site.answers["/paper"] = in_turn(
        lambda asked: asked.say(429, Retry_After="7"),
        lambda asked: asked.say(503, Retry_After="9999"),
        until_a_date,
        body(PDF),
    )
    assert run.one(work(f"{site.base}/paper")).state == "fetched"
    assert run.time.slept == [7, 120, 40]


def test_backs_off(site: Site, run: Run) -> None:
    """Without Retry-After the wait doubles; after the last attempt the status is the reason, and nothing is left behind."""
    site.answers |= {"/once": in_turn(lambda asked: asked.say(503), body(PDF)), "/never": lambda asked: asked.say(500)}
    assert run.one(work(f"{site.base}/once")).state == "fetched"
    assert run.one(work(f"{site.base}/never", name="never")).reason == "500 Internal Server Error (4 attempts)"
    assert run.time.slept == [1, 1, 2, 4]
    assert site.count("/never") == 4
    assert run.names() == ["fetched.json", "report-2024.pdf"]


def test_other_statuses_are_final(site: Site, run: Run) -> None:
    """A refusal is not asked for again, and an older copy stays."""
    site.answers["/paper"] = in_turn(body(PDF), lambda asked: asked.say(403))
    run.one(work(f"{site.base}/paper"))
    outcome = run.one(work(f"{site.base}/paper"))
    assert (outcome.state, outcome.reason, outcome.path) == ("failed", "403 Forbidden", "fetched/report-2024.pdf")
    assert site.count("/paper") == 2
    assert fetched_files(run.folder)


def test_stalls(site: Site, run: Run) -> None:
    """A server that falls silent is left, tried again, and given up."""

    def stall(asked: Asked) -> None:
        site.released.wait(3)

    site.answers["/paper"] = stall
    run.limits = Limits(delay=0, jitter=0, timeout=0.05, attempts=2)
    assert run.one(work(f"{site.base}/paper")).reason == "the server was silent for too long (2 attempts)"


def test_nobody_listens(run: Run) -> None:
    """A refused connection is tried again, then the reason."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "Connection refused" in run.one(work(f"http://127.0.0.1:{port}/")).reason
    assert run.time.slept == [1, 2, 4]


def test_continues_a_truncated_body(site: Site, run: Run) -> None:
    """A body shorter than announced is a retry that asks for the rest only, under the validator of the first part."""
    site.answers["/paper"] = ranged(PDF, 5000)
    assert run.one(work(f"{site.base}/paper")).sha256 == hashlib.sha256(PDF).hexdigest()
    assert (site.headers()["range"], site.headers()["if-range"]) == ("bytes=5000-", '"one"')
    assert run.names() == ["fetched.json", "report-2024.pdf"]


def test_continues_in_the_next_run(site: Site, run: Run) -> None:
    """What a run could not finish is kept as a hidden part with its validator, and the next run goes on there."""
    site.answers["/paper"] = ranged(PDF, 5000)
    run.limits = Limits(delay=0, attempts=1)
    assert run.one(work(f"{site.base}/paper")).state == "failed"
    assert fetched_files(run.folder) == {}
    assert [name.rsplit(".part")[1] for name in run.names()] == ["", ".json"]
    assert run.one(work(f"{site.base}/paper")).state == "fetched"
    assert site.headers()["range"] == "bytes=5000-"
    assert (run.folder / "fetched/report-2024.pdf").read_bytes() == PDF


def test_starts_anew_where_it_changed_meanwhile(site: Site, run: Run) -> None:
    """A text that changed between the two halves is brought whole, not sewn together."""
    new = b"%PDF-" + PDF[::-1]
    site.answers["/paper"] = in_turn(ranged(PDF, 5000), ranged(new, len(new), etag='"two"'))
    assert run.one(work(f"{site.base}/paper")).sha256 == hashlib.sha256(new).hexdigest()


@pytest.mark.parametrize("extent", ["bytes 4000-9000/9001", "bytes 5000-103000/103001", "bytes */7"])
def test_distrusts_a_wrong_part(site: Site, run: Run, extent: str) -> None:
    """A part that begins elsewhere, or comes under another validator, is not joined: the whole is asked for again."""
    wrong: Answer = lambda asked: asked.say(206, PDF[5000:], ETag='"other"', Content_Range=extent)  # noqa: E731
    site.answers["/paper"] = in_turn(ranged(PDF, 5000), wrong, body(PDF))
    assert run.one(work(f"{site.base}/paper")).sha256 == hashlib.sha256(PDF).hexdigest()
    assert "range" not in site.headers()


def test_starts_anew_without_ranges(site: Site, run: Run) -> None:
    """A server that ignores Range, or a weak validator, means a fresh start."""
    cut: Answer = lambda asked: asked.say(200, PDF, sent=5000, ETag='"one"')  # noqa: E731
    weak: Answer = lambda asked: asked.say(200, PDF, sent=5000, ETag='W/"one"')  # noqa: E731
    site.answers |= {"/strong": in_turn(cut, body(PDF)), "/weak": in_turn(weak, body(PDF))}
    assert run.one(work(f"{site.base}/strong", name="strong")).bytes == len(PDF)
    assert run.one(work(f"{site.base}/weak", name="weak")).bytes == len(PDF)
    assert ["range" in headers for _, headers in site.asked] == [False, True, False, False]


def test_a_validator_that_cannot_be_sent_back(site: Site, run: Run) -> None:
    """An entity tag that is not ASCII is not used."""
    site.answers["/paper"] = in_turn(lambda asked: asked.say(200, PDF, sent=9, ETag='"ü"'), body(PDF, ETag='"ü"'))
    assert [run.one(work(f"{site.base}/paper")).state for _ in range(2)] == ["fetched", "not_modified"]
    assert "if-none-match" not in site.headers()


def test_always_truncated(site: Site, run: Run) -> None:
    """A body that always ends early is a failure; without a validator nothing of it is kept."""
    site.answers["/paper"] = lambda asked: asked.say(200, PDF, sent=10)
    outcome = run.one(work(f"{site.base}/paper"))
    assert outcome.state == "failed"
    assert "(4 attempts)" in outcome.reason
    assert run.names() == []


def test_too_much(site: Site, run: Run) -> None:
    """A body over the cap is refused, by its announcement before a byte is read, or where it passes the cap."""

    def unannounced(asked: Asked) -> None:
        asked.send_response(200)
        asked.end_headers()
        asked.wfile.write(PDF)

    site.answers |= {"/said": body(PDF, ETag='"one"'), "/unsaid": unannounced}
    run.limits = Limits(delay=0, max_bytes=1000)
    assert run.one(work(f"{site.base}/said")).reason == f"it has {len(PDF)} bytes, more than the 1000 allowed"
    assert run.one(work(f"{site.base}/unsaid")).reason == "it has more than the 1000 bytes allowed"
    assert run.names() == []


def test_compressed_although_not_asked(site: Site, run: Run) -> None:
    """A body that comes compressed all the same is unpacked, and the cap holds for what it unpacks to."""
    site.answers["/bomb"] = body(gzip.compress(PDF + bytes(2_000_000)), Content_Encoding="gzip")
    assert run.one(work(f"{site.base}/bomb")).bytes == len(PDF) + 2_000_000
    run.limits = Limits(delay=0, max_bytes=1_000_000)
    assert run.one(work(f"{site.base}/bomb", name="b")).reason == "it has more than the 1000000 bytes allowed"


def test_takes_too_long(site: Site, run: Run) -> None:
    """A work that takes longer than its time is given up between two pieces, or rather than waited for."""
    site.answers |= {"/paper": body(PDF), "/busy": lambda asked: asked.say(503, Retry_After="60")}
    run.limits = Limits(delay=0, seconds=10)
    assert run.one(work(f"{site.base}/busy")).reason == "503 Service Unavailable, and the 10 s for this work are over"
    assert run.time.slept == []
    run.time = Time(tick=4)
    assert run.one(work(f"{site.base}/paper")).reason == "it took longer than 10 s"


def test_ctrl_c(site: Site, run: Run) -> None:
    """An interruption leaves whole files with their entries, and a part that the next run continues."""
    big = PDF * 30
    site.answers |= {"/a": body(PDF), "/b": ranged(big, len(big))}
    works = work(f"{site.base}/a", name="a"), work(f"{site.base}/b", name="b")

    def interrupt(step: Step) -> None:
        if step.work == "b":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(*works, progress=interrupt)
    assert fetched_files(run.folder) == {"fetched/a.pdf": "a"}
    report = run(*works)
    assert [outcome.state for outcome in report.outcomes] == ["not_modified", "fetched"]
    assert site.headers()["range"].startswith("bytes=")
    assert (run.folder / "fetched/b.pdf").read_bytes() == big


# Politeness


def test_one_request_per_host_at_a_time(site: Site, run: Run) -> None:
    """Works of one host are asked for one after another with a pause between; another host meanwhile."""
    now = {"one.example": 0, "two.example": 0}
    most = dict(now)
    both = threading.Barrier(2, timeout=3)

    def answer(asked: Asked) -> None:
        host = asked.headers["Host"].split(":")[0]
        now[host] += 1
        most[host] = max(most[host], now[host])
        if asked.path == "/0":
            both.wait()  # passes only where the two hosts are asked at once
        now[host] -= 1
        asked.say(200, PDF)

    site.answers |= {f"/{i}": answer for i in range(3)}
    port = site.base.rsplit(":")[-1]
    works = [work(f"http://{host}:{port}/{i}", name=f"{host}-{i}") for i in range(3) for host in now]
    run.limits = Limits(delay=2)
    report = run(*works, resolve=lambda host, port: ["127.0.0.1"])
    assert {outcome.state for outcome in report.outcomes} == {"fetched"}
    assert [outcome.work for outcome in report.outcomes] == [w.id for w in works]
    assert most == {"one.example": 1, "two.example": 1}
    assert run.time.slept
    assert all(0 < pause <= 2 for pause in run.time.slept)


# Where requests may go


def test_follows_redirects(site: Site, run: Run) -> None:
    """Redirects of every kind are followed to their end, relative ones too, with one pause per request."""
    site.answers |= {"/1": onward("/2", 301), "/2": onward("3", 303), "/3": onward(f"{site.base}/4", 307), "/4": onward("?x", 308)}
    site.answers["/4?x"] = body(PDF)
    run.limits = Limits(delay=1)
    assert run.one(work(f"{site.base}/1")).url == f"{site.base}/4?x"
    assert run.time.slept == [1, 1, 1, 1]


def test_redirects_without_end(site: Site, run: Run) -> None:
    """A circle is left where it closes, and a chain after ten redirects."""
    site.answers |= {"/a": onward("/b"), "/b": onward("/a")} | {f"/{i}": onward(f"/{i + 1}") for i in range(20)}
    assert run.one(work(f"{site.base}/a")).reason == f"it redirects in a circle, at {site.base}/a"
    assert run.one(work(f"{site.base}/0")).reason == "it redirects more than 10 times"
    assert site.count("/10") == 1
    assert site.count("/11") == 0


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is at 169.254.169.254, which is not a public address"),
        ("http://intranet.example/", "intranet.example is at 10.1.2.3, which is not a public address"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1 is at ::ffff:127.0.0.1, which is not a public address"),
        ("file:/etc/passwd", "file:/etc/passwd is not an http or https address"),
        ("http://name:secret@public.example/", "the address at public.example carries a user name"),
        ("http://nowhere.example/", "there is no host nowhere.example"),
    ],
)
def test_redirects_to_a_place_refused(run: Run, location: str, reason: str) -> None:
    """A redirect is checked like the first address, before anything is sent there."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(302, headers={"Location": location})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        outcome = run.one(work("http://public.example/"), allow_private=False, client=client, resolve=names)
    assert (outcome.state, outcome.reason) == ("failed", reason)
    assert asked == ["93.184.215.14"]


def test_https_is_not_given_up(run: Run) -> None:
    """A redirect from https to http is refused."""
    answer = httpx2.MockTransport(lambda request: httpx2.Response(301, headers={"Location": "http://public.example/x"}))
    with httpx2.Client(transport=answer) as client:
        outcome = run.one(work("https://public.example/"), allow_private=False, client=client, resolve=names)
    assert outcome.reason == "it redirects from https to http, to http://public.example/x"


def test_connects_to_the_address_that_was_checked(run: Run) -> None:
    """A name is looked up once, the connection goes to that address, and the certificate is checked against the name."""
    looked: list[str] = []
    asked: list[httpx2.Request] = []

    def rebind(host: str, port: int) -> Sequence[str]:
        looked.append(host)
        return ["93.184.215.14"] if len(looked) == 1 else ["127.0.0.1"]

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, stream=httpx2.ByteStream(PDF))

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        outcome = run.one(work("https://Public.example:8443/x"), allow_private=False, client=client, resolve=rebind)
    assert (outcome.state, outcome.url) == ("fetched", "https://public.example:8443/x")
    assert looked == ["public.example"]
    assert str(asked[0].url) == "https://93.184.215.14:8443/x"
    assert asked[0].headers["host"] == "public.example:8443"
    assert asked[0].headers["connection"] == "close"
    assert asked[0].extensions["sni_hostname"] == "public.example"


def test_tries_the_next_address_of_a_host(site: Site, run: Run) -> None:
    """Where one address of a host does not answer, the next one is asked, under the host's own name."""
    site.answers["/paper"] = body(PDF)
    port = site.base.rsplit(":")[-1]
    outcome = run.one(work(f"http://press.example:{port}/paper"), resolve=lambda host, port: ["::1", "127.0.0.1"])
    assert outcome.state == "fetched"
    assert site.headers()["host"] == f"press.example:{port}"


def test_loopback_is_refused_by_default(site: Site, run: Run) -> None:
    """Without leave no request reaches this machine."""
    assert run.one(work(f"{site.base}/paper"), allow_private=False).reason.endswith("which is not a public address")
    assert run.one(work("http://[malformed"), allow_private=False).state == "failed"
    assert not site.asked


def names(host: str, port: int) -> Sequence[str]:
    """A resolver with a few names; an address stands for itself."""
    known = {"public.example": ["93.184.215.14"], "intranet.example": ["10.1.2.3"], "mixed.example": ["93.184.215.14", "fd00::1"]}
    if host == "nowhere.example":
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    if host == "later.example":
        raise socket.gaierror(socket.EAI_AGAIN, "later")
    return known.get(host, [host])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.0.8", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
    ],
)
def test_is_public(address: str, public: bool) -> None:
    """Private, loopback, link-local, multicast, reserved and unspecified addresses are not public, in IPv4, IPv6 or one in the other."""
    assert is_public(address) is public


def test_check() -> None:
    """A host passes where all its addresses are public; one that does not exist is refused, one not known just now is not."""
    assert check(httpx2.URL("https://public.example/"), resolve=names) == ("93.184.215.14",)
    assert check(httpx2.URL("http://intranet.example/"), resolve=names, allow_private=True) == ("10.1.2.3",)
    for address in ("http://mixed.example/", "http://127.1/", "ftp://public.example/", "http:///path", "http://x..example/"):
        with pytest.raises(AddressRefused):
            check(httpx2.URL(address), resolve=names if "mixed" in address else resolve_host)
    with pytest.raises(httpx2.ConnectError, match="cannot be looked up now"):
        check(httpx2.URL("http://later.example/"), resolve=names)
