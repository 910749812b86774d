"""Keys: made, listed and revoked by command; kept as digests; a running service follows at once."""

from __future__ import annotations

import hmac
import json
import re
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.routing import Route
from typer.testing import CliRunner

from eunato_rag.errors import KeyFileError, NotFound, SettingsError
from eunato_rag.serving import assembly, keys
from eunato_rag.serving.cli import app as commands
from eunato_rag.serving.http.access import Access, Demand, needed
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.routes import page
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.keys import KeyStore, beside
from eunato_rag.settings import load_settings
from tests.conftest import WordEmbedder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

ASKED = {"query": "harbour"}


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.json")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def made(index: Path, embedder: WordEmbedder, store: KeyStore | None, demand: Demand = "auto", *, exposed: bool = False) -> TestClient:
    access = Access(store, demand, exposed)
    return TestClient(create_app(index, embedder, serving=Serving(corpus=index.parent / "corpus", access=access)))


def run(*arguments: str, index: Path) -> str:
    result = CliRunner().invoke(commands, ["keys", *arguments, "--index", str(index)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("presented", ["", "x", "eunato_", "eunato_00000000_" + "A" * 43, "é" * 60, "eunato_00000000_" + "A" * 43 + "\n"])
def test_what_is_no_key_finds_none(store: KeyStore, presented: str) -> None:
    """Whatever its form, also beside real keys."""
    store.add("one")
    assert store.find(presented) is None


def test_a_key_with_one_letter_changed_is_no_key(store: KeyStore) -> None:
    """In its id or in its secret."""
    key = store.add("one")
    assert store.find(key) is not None
    for n in range(len("eunato_"), len(key)):
        assert store.find(key[:n] + ("a" if key[n] != "a" else "b") + key[n + 1 :]) is None


def test_the_file_holds_digests_and_is_its_owners_alone(store: KeyStore) -> None:
    """Who reads it can use none of the keys; nobody else can."""
    key = store.add("newsroom", "admin")
    kept = store.path.read_text()
    assert key not in kept
    assert key.split("_", 2)[2] not in kept
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [(k.name, k.scope, k.revoked) for k in store.all()] == [("newsroom", "admin", None)]


def test_digests_are_compared_in_constant_time(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the function that is made for it, also where there is no such key."""
    compared = []
    compare = hmac.compare_digest

    def told(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return compare(a, b)

    monkeypatch.setattr(keys.hmac, "compare_digest", told)
    store.find(store.add("one"))
    store.find("eunato_00000000_" + "A" * 43)
    store.find("nonsense")
    assert compared == [(64, 64)] * 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": 3}', '{"keys": [{"id": "x"}]}', "\x00\xff"])
def test_a_damaged_file_lets_nobody_in(index: Path, embedder: WordEmbedder, store: KeyStore, content: str) -> None:
    """Nor does it count as a service without keys; nor is it written over."""
    store.path.write_text(content, "utf-8")
    with pytest.raises(KeyFileError, match="Restore it"):
        store.add("one")
    assert store.path.read_text("utf-8") == content
    client = made(index, embedder, store)
    refused = client.post("/v1/search", json=ASKED)
    assert (refused.status_code, refused.json()["code"]) == (503, "key_file_error")
    assert client.get("/livez").status_code == 200


def test_commands_that_run_at_once_lose_no_key(store: KeyStore) -> None:
    """Each waits for the other."""
    with ThreadPoolExecutor(8) as pool:
        made_at_once = list(pool.map(lambda n: KeyStore(store.path).add(f"key {n}"), range(24)))
    assert {k.name for k in store.all()} == {f"key {n}" for n in range(24)}
    assert all(store.find(key) for key in made_at_once)
    assert [path.name for path in store.path.parent.iterdir() if path.name.startswith(".keys")] == [".keys.json.lock"]


def test_a_key_that_is_not_there_cannot_be_revoked(store: KeyStore) -> None:
    with pytest.raises(NotFound, match="eunato-rag keys list"):
        store.revoke("00000000")


def test_a_key_lives_from_its_command_to_its_revocation(index: Path, embedder: WordEmbedder) -> None:
    """The running service asks for keys from the first one on, and refuses one from the moment that it is revoked."""
    client = made(index, embedder, KeyStore(beside(index)))
    assert client.post("/v1/search", json=ASKED).status_code == 200
    key = run("add", "news & room", index=index).strip()
    assert client.post("/v1/search", json=ASKED).status_code == 401
    assert client.post("/v1/search", json=ASKED, headers=bearer(key)).status_code == 200
    identity = json.loads(run("list", "--json", index=index))[0]["id"]
    assert f"{identity}  read" in run("list", index=index)
    assert "sha256" not in run("list", "--json", index=index)
    run("revoke", identity, index=index)
    refused = client.post("/v1/search", json=ASKED, headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_key")
    assert client.post("/v1/search", json=ASKED).status_code == 401, "the last key's end does not open the service"
    assert "revoked" in run("list", index=index)


def test_a_refusal_says_what_kind_of_key_is_asked_for(index: Path, embedder: WordEmbedder, store: KeyStore) -> None:
    """RFC 6750: without a key, with a wrong one, with one of too small a scope."""
    client = made(index, embedder, store, "always")
    without = client.post("/v1/search", json=ASKED)
    assert (without.status_code, without.json()["code"], without.headers["www-authenticate"]) == (
        *(401, "key_needed"),
        'Bearer realm="eunato-rag"',
    )
    wrong = client.post("/v1/search", json=ASKED, headers=bearer("eunato_nothing"))
    assert wrong.headers["www-authenticate"] == 'Bearer realm="eunato-rag", error="invalid_token"'
    small = client.post("/v1/jobs", headers=bearer(store.add("reader")))
    assert (small.status_code, small.json()["code"]) == (403, "insufficient_scope")
    assert small.headers["www-authenticate"] == 'Bearer realm="eunato-rag", error="insufficient_scope", scope="admin"'
    assert all(refused.headers["content-type"] == "application/problem+json" for refused in (without, wrong, small))


def test_the_scheme_is_bearer_in_any_case_and_no_other(index: Path, embedder: WordEmbedder, store: KeyStore) -> None:
    """RFC 9110, 11.1: names of schemes know no case."""
    client, key = made(index, embedder, store, "always"), store.add("one")
    assert client.get("/version", headers={"Authorization": f"bEARER  {key}"}).status_code == 200
    for header in (f"Basic {key}", key, "Bearer", f"Bearer {key} x"):
        assert client.get("/version", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "/", None),
        ("GET", "/page/app.js", None),
        ("GET", "/documents/harbour-2020", None),
        ("GET", "/livez", None),
        ("GET", "/readyz", None),
        ("GET", "/openapi.json", None),
        ("POST", "/", "read"),
        ("GET", "/version", "read"),
        ("GET", "/metrics", "read"),
        ("GET", "/v1/documents", "read"),
        ("POST", "/v1/ask", "read"),
        ("POST", "/v1/chat/completions", "read"),
        ("POST", "/mcp", "read"),
        ("GET", "/nothing", "read"),
        ("POST", "/v1/documents", "admin"),
        ("POST", "/v1/documents/", "admin"),
        ("DELETE", "/v1/documents/harbour-2020", "admin"),
        ("DELETE", "/page/app.js", "admin"),
        ("PROPFIND", "/v1/ask", "admin"),
        ("GET", "/v1/jobs", "admin"),
        ("POST", "/v1/jobs", "admin"),
        ("GET", "/v1/jobs/1/events", "admin"),
        ("POST", "/v1/jobs/1/cancel", "admin"),
        ("GET", "/v1/snapshots", "admin"),
        ("POST", "/v1/snapshots/1/activate", "admin"),
    ],
)
def test_each_request_needs_its_scope(method: str, path: str, right: str | None) -> None:
    """What is not named needs a key, what changes something that of an operator."""
    assert needed(method, path) == right


def test_every_address_of_the_page_is_open(index: Path, embedder: WordEmbedder) -> None:
    """It is the same for all; what it asks the API for needs a key."""
    paths = {route.path for route in page.router().routes if isinstance(route, Route)}
    assert paths >= {"/", "/documents/{document_id}"}
    assert not paths & set(create_app(index, embedder).openapi()["paths"])
    assert {path: needed("GET", path) for path in paths} == dict.fromkeys(paths)


def test_every_route_that_changes_something_needs_an_operator(index: Path, embedder: WordEmbedder, store: KeyStore) -> None:
    """A read key opens nothing of what is tagged as operation; and every other route of the API."""
    client = made(index, embedder, store, "always")
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            assert (operation.get("x-scope") == "admin") == (operation["tags"] == ["operation"]), f"{method} {path}"


@pytest.mark.parametrize(
    ("demand", "exposed", "some", "headers", "read", "admin"),
    [
        ("auto", False, False, {}, 200, 200),
        ("auto", False, True, {}, 401, 401),
        ("auto", True, False, {}, 401, 401),
        ("auto", False, False, {"X-Forwarded-For": "203.0.113.9"}, 401, 401),
        ("auto", False, False, {"Forwarded": "for=203.0.113.9"}, 401, 401),
        ("auto", False, False, {"Authorization": "Bearer sk-none"}, 200, 200),
        ("always", False, False, {}, 401, 401),
        ("admin", True, True, {}, 200, 401),
        ("admin", True, True, {"Authorization": "Bearer sk-none"}, 200, 401),
        ("never", True, True, {}, 200, 200),
    ],
)
def test_who_needs_a_key(
    index: Path,
    embedder: WordEmbedder,
    store: KeyStore,
    demand: Demand,
    exposed: bool,
    some: bool,
    headers: dict[str, str],
    read: int,
    admin: int,
) -> None:
    """By the setting, by whether others can call, by whether a key was made, and by whether a proxy let the request in."""
    if some:
        store.add("one")
    client = made(index, embedder, store, demand, exposed=exposed)
    assert client.post("/v1/search", json=ASKED, headers=headers).status_code == read
    assert client.get("/v1/snapshots", headers=headers).status_code == admin


def test_openai_and_mcp_ask_for_the_same_keys(index: Path, embedder: WordEmbedder, store: KeyStore) -> None:
    """In the shape that their clients read."""
    client = made(index, embedder, store, "always")
    refused = client.post("/v1/chat/completions", json={})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
    assert client.post("/mcp", json={}).status_code == 401
    assert client.get("/v1/models", headers=bearer(store.add("chat"))).status_code == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "rag.example"])
def test_a_service_for_others_does_not_start_without_a_key(tmp_path: Path, address: str) -> None:
    """Nor with only revoked ones; the error names the command. Told to, it starts."""
    settings = load_settings(index=tmp_path / "index")
    with pytest.raises(SettingsError, match="eunato-rag keys add"):
        assembly.serving(settings, address)
    store = assembly.keys(settings)
    store.revoke(store.add("old").split("_")[1])
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path / "keys.json"))):
        assembly.serving(settings, address)
    store.add("new")
    assert assembly.serving(settings, address).access.exposed


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_a_service_on_loopback_starts_without_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Unless it has a public address: then a proxy lets others in."""
    assert assembly.serving(load_settings(index=tmp_path / "index"), address).hosts is not None
    monkeypatch.setenv("EUNATO_SERVING__PUBLIC_URL", "https://rag.example")
    with pytest.raises(SettingsError, match=r"rag\.example"):
        assembly.serving(load_settings(index=tmp_path / "index"), address)
    monkeypatch.setenv("EUNATO_SERVING__KEYS", "never")
    assert "rag.example" in (assembly.serving(load_settings(index=tmp_path / "index"), address).hosts or ())
