"""Whatever stands in the files that people and programs write beside the documents: what they say, or the error that names them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eunato_rag.errors import IndexStoreError, KeyFileError, ManifestError
from eunato_rag.indexing import snapshot
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.sources import MANIFEST, identify, read_manifest
from eunato_rag.records import Document
from eunato_rag.reindex import reindex
from eunato_rag.serving.keys import KeyStore
from tests.conftest import MANIFEST as SOUND
from tests.conftest import WordEmbedder
from tests.ingestion.mutation import mutated

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD_TOML = (
    *(
        "3",
        "-1",
        "true",
        "nan",
        "inf",
        "1979-05-27",
        "1979-05-27T07:32:00Z",
        "[]",
        "[1]",
        '["a", 2]',
        "[[1]]",
        "{}",
        "{ a = 1 }",
        '""',
        "'x'",
    ),
    *(
        '"\\u0000"',
        '"\\ud800"',
        '"""\n"""',
        "9" * 5000,
        "0x" + "f" * 5000,
        "[" * 2000,
        '"../../etc"',
        '"\u202e"',
        "[{ by = 3 }]",
        "{ title = 1 }",
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def check_manifest(folder: Path, data: bytes) -> None:
    (folder / MANIFEST).write_bytes(data)
    try:
        manifest = read_manifest(folder)
    except ManifestError as error:
        assert MANIFEST in str(error)  # noqa: PT017 - both outcomes are right
        return
    document = identify(Document("d", "harbour.txt", "0", {"title": "Harbour Report"}, "text"), "harbour.txt", manifest)
    json.dumps([document.work, *(work.csl for work in manifest.works)], allow_nan=False).encode("utf-8")


@UNHURRIED
@given(changes=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(ODD_TOML)), min_size=1, max_size=3))
def test_a_manifest_with_any_value_under_any_key(tmp_path: Path, changes: list[tuple[int, str]]) -> None:
    """It is a ManifestError that names the file, or a manifest whose records can be kept."""
    lines = SOUND.split("\n")
    keyed = [n for n, line in enumerate(lines) if "=" in line]
    for place, value in changes:
        at = keyed[place % len(keyed)]
        lines[at] = f"{lines[at].partition('=')[0]}= {value}"
    check_manifest(tmp_path, "\n".join(lines).encode())


@UNHURRIED
@given(seed=st.integers(0, 2**32))
def test_a_manifest_of_any_bytes(tmp_path: Path, seed: int) -> None:
    check_manifest(tmp_path, mutated(SOUND.encode(), random.Random(seed)))


@pytest.mark.parametrize("text", ["work = 3", "work = [1]", "[work]\nid = 'a'", "[[work]]\nid = 'a'\ncited = 3\n[work.csl]\ntitle = 'T'"])
def test_what_should_be_tables_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ManifestError, match="double brackets"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("file = 3", "file is text"),
        ('alternates = "x"', "alternates is a list of texts"),
        ("[work.csl]\nissued = 2020-05-01", "date-parts"),
    ],
)
def test_a_value_of_another_kind_is_named(tmp_path: Path, line: str, says: str) -> None:
    """A date of TOML's own is none that a snapshot can keep."""
    csl = "" if "csl" in line else "\n[work.csl]"
    (tmp_path / MANIFEST).write_text(f"[[work]]\nid = 'a'\n{line}{csl}\ntitle = 'T'")
    with pytest.raises(ManifestError, match=says):
        read_manifest(tmp_path)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A file of two keys, one of them, and what stands in the file."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    KeyStore(path).add("newsroom")
    key = KeyStore(path).add("desk", "admin")
    return path, key, json.loads(path.read_text())


def check_keys(path: Path, key: str, data: bytes) -> None:
    path.write_bytes(data)
    try:
        listed, found = KeyStore(path).all(), KeyStore(path).find(key)
    except KeyFileError as error:
        assert str(path) in str(error)  # noqa: PT017 - both outcomes are right
        return
    assert found is None or found in listed
    assert all(one.scopes for one in listed)


@UNHURRIED
@given(field=st.sampled_from(["id", "name", "scope", "created", "revoked", "sha256", "more", ""]), value=JSON)
def test_keys_with_any_value_in_any_field(keys: tuple[Path, str, dict[str, Any]], field: str, value: Any) -> None:
    """Damage lets nobody in, and is said; it is no other error."""
    path, key, sound = keys
    first, second = sound["keys"]
    check_keys(path, key, json.dumps({"keys": [first, second | {field: value}] if field else value}).encode())


@UNHURRIED
@given(seed=st.integers(0, 2**32))
def test_keys_of_any_bytes(keys: tuple[Path, str, dict[str, Any]], seed: int) -> None:
    path, key, sound = keys
    check_keys(path, key, mutated(json.dumps(sound).encode(), random.Random(seed)))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    """An index, the manifest of its snapshot, and what stands there."""
    corpus, index = tmp_path_factory.mktemp("corpus"), tmp_path_factory.mktemp("index")
    (corpus / "a.txt").write_text("The harbour was dredged in 2019.")
    reindex(corpus, index, WordEmbedder(), Chunking())
    path = index / snapshot.SNAPSHOTS / snapshot.current_id(index) / snapshot.MANIFEST
    return index, path, path.read_bytes()


@UNHURRIED
@given(seed=st.integers(0, 2**32), deep=st.sampled_from([b"", b"", b"", b"[" * 100_000]))
def test_a_snapshots_manifest_of_any_bytes(published: tuple[Path, Path, bytes], seed: int, deep: bytes) -> None:
    """What was changed is refused; where it still opens, it says what it said."""
    index, path, sound = published
    path.write_bytes(deep or mutated(sound, random.Random(seed)))
    try:
        opened = snapshot.open_snapshot(index, WordEmbedder())
    except IndexStoreError as error:
        assert "reindex" in str(error)  # noqa: PT017 - both outcomes are right
        return
    assert json.loads(path.read_bytes()) == json.loads(sound)
    opened.close()
