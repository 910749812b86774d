"""Retrieval on Milvus: the same passages as the embedded engine finds, and nothing served that is not whole.

Milvus Lite stands for a server: the same client and the same requests, on a file.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eunato_rag.doctor import examine
from eunato_rag.engine import Engine
from eunato_rag.errors import DamagedSnapshot, IndexStoreError, MilvusUnavailable, SettingsError
from eunato_rag.indexing.catalogue import Catalogue, Filter, matches, write_catalogue
from eunato_rag.indexing.conditions import FIELDS, Conditions, at
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.entries import Entry
from eunato_rag.indexing.history import activate, prune, rollback
from eunato_rag.indexing.keywords import KeywordIndex
from eunato_rag.indexing.milvus import Milvus
from eunato_rag.indexing.snapshot import CATALOGUE, KEYWORDS, SNAPSHOTS, VECTORS, current_id
from eunato_rag.indexing.vectors import VectorIndex
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.records import Document, Hit, Locator, Passage
from eunato_rag.reindex import reindex
from eunato_rag.retrieval import read_query, retrieve
from eunato_rag.settings import load_settings
from tests.conftest import HARBOUR, ROOT, WordEmbedder

QUESTION = "When was the harbour at Lindholm dredged?"
TOKEN = "root:a-secret-of-the-desk"


@contextmanager
def lite(path: Path, **options: Any) -> Iterator[Milvus]:
    """A Milvus on a file, which is let go in the end."""
    from milvus_lite.server_manager import server_manager_instance

    try:
        yield Milvus(str(path), **options)
    finally:
        server_manager_instance.release_server(str(path))


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[Milvus]:
    with lite(tmp_path / "milvus.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def both(paper_index: Path, model: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """The project's own corpus, searched in the index folder and on Milvus."""
    folder, identity = paper_index / SNAPSHOTS / current_id(paper_index), current_id(paper_index)
    with lite(tmp_path_factory.mktemp("milvus") / "milvus.db") as milvus:
        with closing(Catalogue(folder / CATALOGUE)) as catalogue:
            milvus.publish(identity, catalogue, VectorIndex.load(folder / VECTORS), KeywordIndex.read(folder / KEYWORDS))
        embedded, remote = Engine.open(paper_index, model), Engine.open(paper_index, model, milvus=milvus)
        yield embedded, remote
        embedded.snapshot.close()
        remote.snapshot.close()


def collections(milvus: Milvus) -> set[str]:
    return set(milvus.call("list_collections"))


def aliased(milvus: Milvus) -> str:
    return str(milvus.call("describe_alias", alias=milvus.name)["collection_name"])


def same(one: Sequence[Hit], other: Sequence[Hit]) -> bool:
    """The same scores by rank, and the same passages, but where two of them are as good as equal."""
    scores = [hit.score for hit in one]
    if len(one) != len(other) or not np.allclose(scores, [hit.score for hit in other], atol=1e-5):
        return False
    moved = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a.passage.id != b.passage.id]
    return all(any(abs(scores[n] - scores[m]) <= 1e-5 for m in (n - 1, n + 1) if 0 <= m < len(scores)) for n in moved)


def test_two_hundred_questions_find_the_same_ten_passages(both: tuple[Engine, Engine]) -> None:
    """Sentences of the corpus, whole and in part: same passages, same scores."""
    embedded, remote = both
    documents = [embedded.document(identity) for identity in embedded.snapshot.catalogue.document_ids]
    sentences = [document.text[start:end] for document in documents for start, end in document.sentences if end - start > 40]
    chosen = [sentences[n] for n in np.linspace(0, len(sentences) - 1, 200, dtype=int)]
    queries = [text if n % 2 else " ".join(text.split()[:6]) for n, text in enumerate(chosen)]
    different = []
    for text in queries:
        query = read_query(embedded.snapshot, embedded.embedder, text)
        if not same(retrieve(embedded.snapshot, query), retrieve(remote.snapshot, query)):
            different.append(text)
    assert (len(queries), different) == (200, [])


def test_an_answer_is_the_same(both: tuple[Engine, Engine]) -> None:
    """To the letter, with its citations."""
    one, other = (engine.ask("Why did Pooling and Sharing fail?") for engine in both)
    assert (one.status, one.text, one.citations) == (other.status, other.text, other.citations)


@pytest.mark.parametrize("query", ["NATO NATO defence", "military mobility", "zebra", "what is the", "2016 Warsaw declaration hybrid"])
def test_each_search_gives_the_scores_of_the_embedded_one(both: tuple[Engine, Engine], query: str) -> None:
    """BM25 counts a word that is said twice twice; what nobody says finds nothing; positions can be named."""
    embedded, remote = (engine.snapshot for engine in both)
    vector = both[0].embedder.encode_query([query])[0]
    some = list(range(0, embedded.catalogue.passage_count, 3))
    for k, allowed in product((7, 100), (None, some)):
        for one, other in (
            (embedded.keywords.search(query, k, allowed), remote.keywords.search(query, k, allowed)),
            (embedded.vectors.search(vector, k, allowed), remote.vectors.search(vector, k, allowed)),
        ):
            np.testing.assert_allclose([score for _, score in one], [score for _, score in other], atol=1e-5)
            least = one[-1][1] + 1e-5 if one else 0.0
            assert {p for p, score in one if score > least} == {p for p, score in other if score > least}
            assert allowed is None or {p for p, _ in other} <= set(some)
    assert remote.vectors.search(vector, 10, []) == remote.keywords.search(query, 10, []) == []
    assert np.array_equal(remote.vectors.vectors(some[:20][::-1]), embedded.vectors.vectors(some[:20][::-1]))
    assert remote.keywords.coverage(query) == embedded.keywords.coverage(query)


WORKS: list[dict[str, Any]] = [
    {"publisher": "NATO", "language": "en", "issued": {"date-parts": [[2016]]}},
    {"publisher": "European Union", "language": "en-GB", "issued": {"date-parts": [[2016, 7]]}},
    {"publisher": "Straße \"1\" or 1 == 1", "language": "de", "issued": {"date-parts": [[2016, 7, 8]]}},
    {"publisher": "100 % \\ _under_ 'quoted'", "language": "fr", "issued": {"date-parts": [[2017, 1]]}},
    {"publisher": "Ministère; drop", "language": "", "issued": {"date-parts": [[2015, 12, 31]]}},
    {"publisher": "nato defense college"},
    {"title": "nothing known"},
    {"publisher": "{publisher}", "language": "en", "issued": {"date-parts": [[2018]]}},
]  # fmt: skip
TYPED = [
    *("", "nato", "NATO", "STRASSE", "e", "zebra", '" or 1 == 1', "' or position >= 0 or '", "%", "_", "\\", '\\"', "{publisher}"),
    *("])) or (position in [0", "\x00", "\n", "🙂", "x" * 5000),
]
DATES = ["2015", "2016", "2016-07", "2016-07-08", "2016-07-31", "2017-01", "2019", "0000", "", "9999-12-31", "2016-07 or 1 == 1"]


def catalogue_of(folder: Path, works: Sequence[dict[str, Any]], passages: int = 2) -> Catalogue:
    """So many passages for each work."""
    documents = [Document(f"d{n}", f"{n}.txt", f"{n:064}", work, "a text") for n, work in enumerate(works)]
    rows = [[Passage(f"{d.id}-{n}", d.id, "a", Locator(0, 1), "body") for n in range(passages)] for d in documents]
    entries = [Entry.of(document, own, [""] * passages) for document, own in zip(documents, rows, strict=True)]
    write_catalogue(folder / CATALOGUE, entries, [])
    return Catalogue(folder / CATALOGUE)


def filters() -> list[Filter]:
    return [
        *(Filter(publisher=text) for text in TYPED),
        *(Filter(language=text) for text in ("en", "en-US", "de", "", "EN", *TYPED[:12])),
        *(Filter(document_id=text) for text in ("d0", "d7", "d99", *TYPED)),
        *(Filter(issued_from=date) for date in DATES),
        *(Filter(issued_to=date) for date in DATES),
        *(Filter(issued_from=first, issued_to=last) for first in DATES[:5] for last in DATES[:6]),
        Filter("d1", "union", "2016", "2016-07", "en"),
        Filter("d1", "nato"),
    ]


def test_filters_leave_what_the_catalogue_leaves(tmp_path: Path, milvus: Milvus) -> None:
    """Every kind, dates of less precision, and texts that try to be part of the condition."""
    with closing(catalogue_of(tmp_path, WORKS)) as catalogue:
        vectors = np.eye(catalogue.passage_count, dtype=np.float32) * 0.6 + 0.1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        KeywordIndex.write(tmp_path / "k", [f"common word{n}" for n in range(catalogue.passage_count)])
        VectorIndex.write(tmp_path / "v", [vectors], catalogue.passage_count)
        keywords = KeywordIndex.read(tmp_path / "k")
        milvus.publish("0" * 12, catalogue, VectorIndex.load(tmp_path / "v"), keywords)
        opened = milvus.open("0" * 12, catalogue, keywords)
        for wanted in filters():
            expected = catalogue.allowed(wanted)
            allowed = opened.allowed(wanted)
            assert sorted(p for p, _ in opened.vectors.search(vectors[0], 100, allowed)) == list(
                range(16) if expected is None else expected
            )


texts = st.sampled_from(["", "NATO", "nato", "Straße", "strasse", "en", "en-GB", "de", '"', "\\", "%"])
parts = st.one_of(
    st.just([]),
    st.tuples(st.integers(2014, 2018)).map(list),
    st.tuples(st.integers(2014, 2018), st.integers(1, 12)).map(list),
    st.tuples(st.integers(2014, 2018), st.integers(1, 12), st.integers(1, 28)).map(list),
)
works = st.lists(
    st.fixed_dictionaries({}, optional={"publisher": texts, "language": texts, "issued": parts.map(lambda date: {"date-parts": [date]})}),
    min_size=1,
    max_size=30,
)
days = st.one_of(st.none(), st.dates().map(lambda day: f"201{day.year % 10}-{day.month:02}-{day.day:02}").flatmap(
    lambda day: st.sampled_from([day[:4], day[:7], day])
))  # fmt: skip
wanted_ones = st.builds(Filter, st.sampled_from([None, "d0", "d5"]), st.none() | texts, days, days, st.none() | texts)


@given(works, wanted_ones)
def test_a_condition_means_what_the_filter_means(made: list[dict[str, Any]], wanted: Filter) -> None:
    """Whatever the works and the filter: a condition is read here as Milvus reads it."""
    by_id = {f"d{n}": work for n, work in enumerate(made)}
    conditions = Conditions(by_id)
    condition = conditions.of(wanted)
    rows = list(conditions.numbers())
    left = [n for n, row in enumerate(rows) if condition is None or eval(condition, {}, {**row, "position": n})]
    assert left == [n for n, (identity, work) in enumerate(by_id.items()) if matches(identity, work, wanted)]
    assert all(tuple(row) == FIELDS for row in rows)


@given(st.sets(st.integers(0, 300)))
def test_positions_are_a_condition(positions: set[int]) -> None:
    """In ranges and lists, however they lie."""
    condition = at(list(positions))
    assert {n for n in range(302) if eval(condition, {}, {"position": n})} == positions


def build(corpus: Path, index: Path, embedder: Embedder, milvus: Milvus, year: int, **options: Any) -> str:
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", str(year)), "utf-8")
    identity = reindex(corpus, index, embedder, Chunking(), milvus=milvus, **options).snapshot
    assert identity is not None
    return identity


def answer(index: Path, embedder: Embedder, milvus: Milvus) -> str:
    engine = Engine.open(index, embedder, milvus=milvus)
    text = engine.ask(QUESTION).text
    engine.snapshot.close()
    return text


def test_builds_are_published_served_again_and_pruned(corpus: Path, tmp_path: Path, embedder: WordEmbedder, milvus: Milvus) -> None:
    """A collection each; the alias goes where CURRENT goes; a build that is deleted takes its collection along, and no other's."""
    index = tmp_path / "index"
    others = Milvus(milvus.url, name="others")
    theirs = build(corpus, tmp_path / "theirs", embedder, others, 2015)
    ids = [build(corpus, index, embedder, milvus, year) for year in (2016, 2017)]
    again = build(corpus, index, embedder, milvus, 2017)
    assert again == ids[1]
    assert collections(milvus) == {f"eunato_{identity}" for identity in ids} | {f"others_{theirs}"}
    assert (aliased(milvus), "2017" in answer(index, embedder, milvus)) == (f"eunato_{ids[1]}", True)
    assert rollback(index, embedder, milvus).id == ids[0]
    assert (aliased(milvus), "2016" in answer(index, embedder, milvus)) == (f"eunato_{ids[0]}", True)
    activate(index, ids[1], embedder, milvus)
    assert aliased(milvus) == f"eunato_{ids[1]}"
    assert prune(index, 1, milvus) == [ids[0]]
    assert collections(milvus) == {f"eunato_{ids[1]}", f"others_{theirs}"}
    assert aliased(others) == f"others_{theirs}"
    assert "2017" in answer(index, embedder, milvus)
    assert "2017" in Engine.open(index, embedder).ask(QUESTION).text  # and without Milvus


def test_an_index_that_was_built_without_milvus_is_taken_there(corpus: Path, index: Path, embedder: WordEmbedder, milvus: Milvus) -> None:
    """Until then it names the command; nothing is embedded again."""
    with pytest.raises(DamagedSnapshot, match=r"has no collection eunato_\w+ in Milvus.*eunato-rag reindex"):
        Engine.open(index, embedder, milvus=milvus)
    embedder.embedded.clear()
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    assert ("2019" in answer(index, embedder, milvus), embedder.embedded) == (True, [])


def test_a_damaged_collection_is_refused_and_made_again(corpus: Path, index: Path, embedder: WordEmbedder, milvus: Milvus) -> None:
    """Rows that are gone, rows that are others, a collection that is gone."""
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    name = aliased(milvus)
    opened = Engine.open(index, embedder, milvus=milvus)
    milvus.call("delete", collection_name=name, ids=[1])
    with pytest.raises(DamagedSnapshot, match="passages, and its collection"):
        activate(index, current_id(index), embedder, milvus)
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    assert "2019" in answer(index, embedder, milvus)

    (row,) = milvus.call("get", collection_name=name, ids=[1], output_fields=["*"])
    milvus.call("upsert", collection_name=name, data=[{**row, "dense": np.roll(np.asarray(row["dense"], np.float32), 1)}])
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    assert "2019" in answer(index, embedder, milvus)
    with closing(Catalogue(index / SNAPSHOTS / current_id(index) / CATALOGUE)) as catalogue:
        assert milvus.call("query", collection_name=name, filter="", output_fields=["count(*)"])[0]["count(*)"] == catalogue.passage_count

    milvus.drop(current_id(index))
    with pytest.raises(DamagedSnapshot, match="eunato-rag reindex"):
        opened.search("harbour")
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    assert "2019" in opened.ask(QUESTION).text


class Dying(Milvus):
    """Ends where it was told to."""

    def __init__(self, url: str, moment: str, end: Callable[[], None]) -> None:
        super().__init__(url)
        self._moment, self._end = moment, end

    def call(self, what: str, timeout: float | None = None, **arguments: Any) -> Any:
        if what == self._moment:
            self._end()
        return super().call(what, timeout, **arguments)


KILLED = """
import os, signal, sys
from pathlib import Path
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from tests.conftest import WordEmbedder
from tests.indexing.test_milvus import Dying

milvus = Dying(sys.argv[3], "search", lambda: os.kill(os.getpid(), signal.SIGKILL))
reindex(Path(sys.argv[1]), Path(sys.argv[2]), WordEmbedder(), Chunking(), milvus=milvus)
"""


def test_a_run_killed_before_current_is_renamed_changes_nothing(corpus: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """Its collection was whole, and is taken up by the next run over the same corpus."""
    index, file = tmp_path / "index", tmp_path / "milvus.db"
    with lite(file) as milvus:
        before = build(corpus, index, embedder, milvus, 2018)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2020"), "utf-8")
    killed = subprocess.run([sys.executable, "-c", KILLED, corpus, index, file], cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with lite(file) as milvus:
        assert (current_id(index), aliased(milvus)) == (before, f"eunato_{before}")
        assert "2018" in answer(index, embedder, milvus)
        made = collections(milvus) - {f"eunato_{before}"}
        assert {f"eunato_{build(corpus, index, embedder, milvus, 2020)}"} == made
        assert "2020" in answer(index, embedder, milvus)


class Killed(BaseException):
    """As a process that ends: nothing below may take it for a fault."""


def test_half_a_collection_is_never_served_and_goes_with_the_next_run(
    corpus: Path, tmp_path: Path, embedder: WordEmbedder, milvus: Milvus
) -> None:
    """A run ended while it filled one."""

    def end() -> None:
        raise Killed

    index = tmp_path / "index"
    before = build(corpus, index, embedder, milvus, 2018)
    with pytest.raises(Killed):
        build(corpus, index, embedder, Dying(milvus.url, "insert", end), 2020)
    assert len(collections(milvus)) == 2
    (half,) = {path.name for path in (index / SNAPSHOTS).iterdir()} - {before}
    with pytest.raises(DamagedSnapshot, match="passages, and its collection"):
        activate(index, half, embedder, milvus)
    assert "2018" in answer(index, embedder, milvus)
    after = build(corpus, index, embedder, milvus, 2021)
    assert collections(milvus) == {f"eunato_{before}", f"eunato_{after}"}
    assert "2021" in answer(index, embedder, milvus)
    assert rollback(index, embedder, milvus).id == before


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_milvus_that_is_not_there_is_named_without_its_token(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """What is served in the index folder stays; the error says the address and what to do, and not the token, nor does its cause."""
    before = current_id(index)
    milvus = Milvus(f"http://127.0.0.1:{free_port()}", TOKEN, timeout=0.5)
    for attempt in (lambda: Engine.open(index, embedder, milvus=milvus), lambda: build(corpus, index, embedder, milvus, 2001)):
        with pytest.raises(MilvusUnavailable, match=r"Milvus at http://127\.0\.0\.1:\d+ failed.*EUNATO_MILVUS__URL") as caught:
            attempt()
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
        assert isinstance(caught.value, IndexStoreError)
    assert current_id(index) == before


def test_a_server_that_hangs_holds_nobody_for_ever(corpus: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """Reached by address, with a token: stopped, a search ends with an error; going on, it answers; killed, it says so."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "milvus_lite",
        "server",
        "--data-dir",
        str(tmp_path / "data"),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        milvus = Milvus(f"http://127.0.0.1:{port}", TOKEN, timeout=1)
        deadline = time.monotonic() + 60
        while True:
            try:
                milvus.version()
                break
            except MilvusUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        index = tmp_path / "index"
        build(corpus, index, embedder, milvus, 2016)
        engine = Engine.open(index, embedder, milvus=milvus)
        os.kill(server.pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(MilvusUnavailable, match="EUNATO_MILVUS__URL"):
            engine.search("harbour")
        assert time.monotonic() - began < 20
        os.kill(server.pid, signal.SIGCONT)
        assert "2016" in engine.ask(QUESTION).text
        server.kill()
        server.wait()
        with pytest.raises(MilvusUnavailable) as caught:
            engine.search("harbour")
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
        engine.snapshot.close()
    finally:
        server.kill()
        server.wait()


def test_a_file_that_another_process_has_open_is_named(tmp_path: Path) -> None:
    """Milvus Lite is for one process."""
    hold = "import sys; from eunato_rag.indexing.milvus import Milvus; Milvus(sys.argv[1]).version(); print('open', flush=True); input()"
    command = [sys.executable, "-c", hold, str(tmp_path / "milvus.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with lite(tmp_path / "milvus.db") as second, pytest.raises(MilvusUnavailable, match="One process at a time"):
            second.version()
        holder.communicate("\n")


def test_above_a_size_a_graph_finds_the_neighbours(corpus: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """On so few passages, all of them."""
    with lite(tmp_path / "milvus.db", exact_up_to=0) as milvus:
        build(corpus, tmp_path / "index", embedder, milvus, 2019)
        assert same(
            Engine.open(tmp_path / "index", embedder, milvus=milvus).search("harbour dredged"),
            Engine.open(tmp_path / "index", embedder).search("harbour dredged"),
        )


WITHOUT = """
import sys
from pathlib import Path
from eunato_rag.engine import Engine
from eunato_rag.serving import assembly
from eunato_rag.serving.cli import main
from eunato_rag.retrieval import read_query, retrieve
from eunato_rag.settings import load_settings
from tests.conftest import WordEmbedder

settings = load_settings(index=Path(sys.argv[1]))
engine = Engine.open(settings.index, WordEmbedder(), milvus=assembly.milvus(settings))
assert engine.search("harbour")
print(sorted({"pymilvus", "milvus_lite", "grpc", "pandas", "pyarrow"} & sys.modules.keys()))
for missing in ("milvus_lite", "pymilvus"):
    sys.modules[missing] = None
    try:
        assembly.milvus(load_settings(milvus={"url": "/tmp/milvus.db"}))
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_nothing_of_it_is_imported_where_it_is_not_set(index: Path) -> None:
    """And where it is set and not installed, the error says what to install."""
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(index)], cwd=ROOT, capture_output=True, text=True)
    imported, *errors = done.stdout.splitlines()
    assert imported == "[]", done.stderr
    assert [error.startswith("SettingsError") and 'pip install "eunato-rag[milvus]"' in error for error in errors] == [True, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "http://name:hidden@host:19530"),
        ("URL", "host:19530/hidden"),
        ("URL", "ftp://hidden"),
        ("URL", "http://host:19530/hidden?x=1"),
        ("TOKEN", "hidden\nhidden"),
        ("TOKEN", "hidden\u2013"),
    ],
)
def test_an_error_of_a_setting_does_not_show_what_may_be_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Neither the message nor the cause."""
    monkeypatch.setenv(f"EUNATO_MILVUS__{name}", value)
    with pytest.raises(SettingsError, match=f"EUNATO_MILVUS__{name} cannot be") as caught:
        load_settings()
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


def test_doctor_tells_where_is_searched_and_whether_it_answers(
    monkeypatch: pytest.MonkeyPatch, corpus: Path, index: Path, embedder: WordEmbedder, milvus: Milvus
) -> None:
    """The index folder; Milvus with all passages; Milvus without the collection; no Milvus, and never the token."""

    def told() -> tuple[str, str]:
        (finding,) = (finding for finding in examine(load_settings(corpus=corpus, index=index)) if finding.what == "search")
        assert TOKEN not in repr(finding)
        return finding.state, finding.detail

    assert told() == ("ok", "in the index folder, by FAISS and BM25")
    monkeypatch.setenv("EUNATO_MILVUS__URL", milvus.url)
    monkeypatch.setenv("EUNATO_MILVUS__TOKEN", TOKEN)
    state, detail = told()
    assert (state, "has no collection" in detail) == ("broken", True)
    reindex(corpus, index, embedder, Chunking(), milvus=milvus)
    state, detail = told()
    assert (state, "answers, and holds all 5 passages" in detail) == ("ok", True)
    monkeypatch.setenv("EUNATO_MILVUS__URL", f"http://127.0.0.1:{free_port()}")
    state, detail = told()
    assert (state, "failed" in detail) == ("broken", True)
