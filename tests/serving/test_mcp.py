"""The MCP server, asked by the SDK's own client, over both transports and in both eras of the protocol."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolResult
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from eunato_rag.engine import Engine
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.frame import Frame
from eunato_rag.serving.http.metrics import Metrics
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.mcp.connectors import FETCHED
from eunato_rag.serving.mcp.endpoint import Endpoint
from eunato_rag.serving.mcp.server import create_server
from eunato_rag.serving.mcp.tools import TOOLS
from tests.conftest import ROOT, WordEmbedder
from tests.serving.conftest import Serve, running

QUESTION = "When was the harbour at Lindholm dredged?"
PAPER_QUESTION = "Why did Pooling and Sharing fail?"
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
BASE = "https://rag.example"

Script = Callable[[Client], Awaitable[Any]]


def use(target: Any, script: Script, mode: str = "auto") -> Any:
    """What a script comes to with a client of its own."""

    async def connected() -> Any:
        async with Client(target, mode=mode) as client:
            return await script(client)

    return anyio.run(connected)


def refusal(target: Any, script: Script) -> MCPError:
    """The error of the protocol that a script ends with."""

    async def caught(client: Client) -> MCPError:
        with pytest.raises(MCPError) as error:
            await script(client)
        return error.value

    return use(target, caught)  # type: ignore[no-any-return]


def call(target: Any, tool: str, **arguments: Any) -> Any:
    """The structured result of one call, which succeeds, and whose text is the same."""

    async def script(client: Client) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    result = use(target, script)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


class Standing:
    """In the place of what is served: one engine, whatever it is."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def engine(self) -> Any:
        return self._engine


@pytest.fixture
def server(engine: Engine) -> Any:
    """The server over the small corpus, without a transport."""
    return create_server(Standing(engine), lambda request: BASE)  # type: ignore[arg-type]


def stdio(index: Path) -> StdioServerParameters:
    """The command as a program with a language model starts it."""
    return StdioServerParameters(command=sys.executable, args=["-m", "eunato_rag", "mcp", "--index", str(index)])


async def tour(client: Client) -> dict[str, Any]:
    """Everything once, over the paper."""
    seen: dict[str, Any] = {"tools": [tool.name for tool in (await client.list_tools()).tools]}
    found = (await client.call_tool("search", {"query": "Pooling and Sharing"})).structured_content
    seen["found"] = found["results"][0]
    seen["fetched"] = (await client.call_tool("fetch", {"id": seen["found"]["id"]})).structured_content
    seen["answer"] = (await client.call_tool("ask", {"question": PAPER_QUESTION})).structured_content
    seen["quote"] = (await client.call_tool("verify_quote", {"quote": seen["answer"]["citations"][0]["quote"]})).structured_content
    seen["draft"] = (await client.call_tool("check_draft", {"text": "Pooling and Sharing was adopted in 2012."})).structured_content
    seen["cited"] = (await client.call_tool("cite", {"ids": ["mangiameli-2025"], "style": "apa"})).structured_content
    seen["notes"] = (await client.call_tool("footnotes", {"document_id": "mangiameli-2025"})).structured_content
    seen["failed"] = await client.call_tool("fetch", {"id": "nothing"})
    listed = (await client.list_resources()).resources
    seen["text"] = (await client.read_resource(listed[0].uri)).contents[0].text
    return seen


def check_tour(seen: dict[str, Any]) -> None:
    assert seen["tools"] == ["search", "fetch", "ask", "verify_quote", "check_draft", "cite", "footnotes"]
    assert seen["fetched"]["text"] == seen["found"]["text"]
    quote = seen["answer"]["citations"][0]["quote"]
    place = seen["answer"]["citations"][0]["locator"]
    assert seen["text"][place["start"] : place["end"]] == quote
    assert seen["quote"]["status"] == "exact"
    assert seen["draft"]["counts"]["contradicted"] == 1
    assert seen["cited"]["text"].startswith("Mangiameli, F. (2025).")
    assert seen["notes"]["coverage"]["notes"] == len(seen["notes"]["footnotes"]) > 0
    assert seen["failed"].is_error


@ERAS
def test_the_running_service_has_an_mcp_endpoint(live_server: str, mode: str) -> None:
    """Its links lead to the address that it was asked at."""
    seen = use(f"{live_server}/mcp", tour, mode)
    check_tour(seen)
    assert seen["found"]["url"].startswith(f"{live_server}/documents/mangiameli-2025?start=")


@ERAS
def test_the_command_serves_over_stdio(paper_index: Path, mode: str) -> None:
    """Started as a program of its own; links lead to where the service would listen."""
    seen = use(stdio(paper_index), tour, mode)
    check_tour(seen)
    assert seen["found"]["url"].startswith("http://127.0.0.1:8000/documents/mangiameli-2025?start=")


def test_standard_output_carries_the_protocol_alone(paper_index: Path) -> None:
    """One message a line; the process ends well when its input does."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": PAPER_QUESTION}}},
        {"id": 3, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": "?!"}}},
    ]
    command = [sys.executable, "-m", "eunato_rag", "mcp", "--index", str(paper_index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages))
        process.stdin.flush()
        replies = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
    assert {reply["id"] for reply in replies} == {1, 2, 3}
    assert {reply["jsonrpc"] for reply in replies} == {"2.0"}


def test_without_an_index_the_command_says_what_to_do(tmp_path: Path) -> None:
    """On standard error; nothing on standard output."""
    command = [sys.executable, "-m", "eunato_rag", "mcp", "--index", str(tmp_path / "index")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Run: eunato-rag reindex" in done.stderr


def test_the_command_serves_over_http(paper_index: Path) -> None:
    """The whole service, whose address for clients it tells."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "eunato_rag", "mcp", "--http", "--index", str(paper_index), "--port", port]
    environment = {**os.environ, "EUNATO_CORPUS": str(ROOT / "corpus")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr
            assert process.stderr.readline() == f"MCP clients connect to http://127.0.0.1:{port}/mcp\n"
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/livez").close()
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            assert call(f"http://127.0.0.1:{port}/mcp", "ask", question=PAPER_QUESTION)["status"] == "answered"
        finally:
            process.terminate()


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    """Neither by the service nor by the command line: it takes longer than all of their start."""
    code = "import sys, eunato_rag.serving.cli, eunato_rag.serving.http.app; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_tool_says_what_it_is_for(server: Any) -> None:
    """A name, a title, when to use it, what it takes and gives, and that it only reads."""

    async def script(client: Client) -> Any:
        assert client.instructions
        return (await client.list_tools()).tools

    tools = use(server, script)
    assert [tool.name for tool in tools] == [tool.name for tool in TOOLS]
    for tool in tools:
        assert tool.title
        assert len(tool.description) > 80
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        hints = tool.annotations
        assert (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint) == (True, False, True, False)


def test_search_and_fetch_have_the_shapes_of_chatgpts_connectors(server: Any) -> None:
    """One string in; ids, titles and addresses out, none of them empty, and the text behind each id."""
    schemas = {tool.name: tool.arguments.model_json_schema() for tool in TOOLS}
    assert list(schemas["search"]["properties"]) == ["query"]
    assert list(schemas["fetch"]["properties"]) == ["id"]
    found = call(server, "search", query="dredged harbour")
    assert list(found) == ["results"]
    assert found["results"]
    for result in found["results"]:
        assert all(result[name] for name in ("id", "title", "url"))
        assert result["url"].startswith(f"{BASE}/documents/")
        for identity in (result["id"], result["document_id"]):
            fetched = call(server, "fetch", id=identity)
            assert set(fetched) == {"id", "title", "text", "url", "metadata"}
            assert fetched["id"] == identity
            assert result["text"] in fetched["text"]
            assert fetched["url"].startswith(f"{BASE}/documents/")


def test_a_passage_is_fetched_with_its_place_and_notes(server: Any, engine: Engine) -> None:
    """Enough to cite it."""
    hit = engine.search(QUESTION)[0]
    metadata = call(server, "fetch", id=hit.passage.id)["metadata"]
    place = hit.passage.locator
    assert metadata["document_id"] == "harbour-2020"
    assert (metadata["start"], metadata["end"], metadata["section"]) == (place.start, place.end, "Summary")
    assert metadata["notes"].startswith("1. Port Authority, Dredging at Lindholm")
    assert "page" not in metadata, "a text has none"
    assert metadata["snapshot"] == engine.snapshot.id


def test_a_long_document_comes_in_parts(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Which together are its text; each names the next."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "long.txt").write_text("Log\n\n" + "The ship came in and the ship went out.\n\n" * (FETCHED // 35), "utf-8")
    reindex(tmp_path / "corpus", tmp_path / "index", embedder, Chunking())
    engine = Engine.open(tmp_path / "index", embedder)
    server = create_server(Standing(engine), lambda request: BASE)  # type: ignore[arg-type]
    (identity,) = engine.documents()
    text, following = "", identity
    while following:
        part = call(server, "fetch", id=following)
        assert part["metadata"]["start"] == len(text)
        text, following = text + part["text"], part["metadata"].get("next_id")
    assert text == engine.document(identity).text
    assert len(text) > FETCHED
    engine.snapshot.close()


def test_ask_gives_the_contracts_answer_for_a_model_to_read(server: Any, engine: Engine) -> None:
    """With absolute links, and without the passages that were found: they would fill its context."""
    answer = call(server, "ask", question=QUESTION)
    assert (answer["status"], answer["hits"], answer["snapshot"]) == ("answered", [], engine.snapshot.id)
    assert answer["answer"] == engine.ask(QUESTION).text
    assert answer["citations"][0]["url"].startswith(f"{BASE}/documents/harbour-2020?start=")


def test_ask_knows_a_conversation(server: Any) -> None:
    """As a list, or as the JSON of one in a string, which some clients send."""
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "In 2019 [1]."}]
    for given in (history, json.dumps(history)):
        assert "harbour" in call(server, "ask", question="How deep is it?", history=given)["standalone_question"]


def test_an_abstention_is_an_answer(server: Any) -> None:
    """Not an error; with the nearest evidence."""
    answer = call(server, "ask", question="Which zebra won the quantum chess tournament?")
    assert (answer["status"], answer["citations"]) == ("abstained", [])
    assert answer["nearest"]


def test_a_quotation_is_looked_for_where_the_caller_says(server: Any) -> None:
    """What stands in one document is absent from another."""
    quote = "The harbour at Lindholm was dredged in 2018."
    (match,) = call(server, "verify_quote", quote=quote, document_id="harbour-2020")["matches"]
    assert [(edit["kind"], edit["yours"], edit["source"]) for edit in match["edits"]] == [("date", "2018", "2019")]
    assert match["url"].startswith(BASE)
    orchard = next(d for d in call_ids(server) if d != "harbour-2020")
    assert call(server, "verify_quote", quote=quote, document_id=orchard)["status"] == "absent"


def call_ids(server: Any) -> list[str]:
    """The ids of the documents, as the resources list them."""

    async def script(client: Client) -> list[str]:
        return [resource.name for resource in (await client.list_resources()).resources]

    return list(use(server, script))


def test_a_draft_is_checked_and_its_progress_told(server: Any) -> None:
    """To who asks for it; evidence has absolute links."""
    steps: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        steps.append((done, total))

    async def script(client: Client) -> Any:
        text = "The harbour at Lindholm was dredged in 2019. The works cost 3.2 million crowns."
        return (await client.call_tool("check_draft", {"text": text}, progress_callback=progress)).structured_content

    draft = use(server, script)
    assert draft["counts"]["supported"] == 2
    assert draft["sentences"][0]["evidence"][0]["url"].startswith(BASE)
    assert steps[-1] == (2, 2)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_references_keep_the_order_asked_for(server: Any, engine: Engine) -> None:
    """Passages with their place, documents, and works that are not here."""
    passage = engine.search(QUESTION)[0].passage.id
    cited = call(server, "cite", ids=[passage, "port-2019", "harbour-2020"], style="chicago")
    assert [reference["id"] for reference in cited["references"]] == [passage, "port-2019", "harbour-2020"]
    assert "para. 1" in cited["references"][0]["citation"]


def test_footnotes_lead_to_works(server: Any) -> None:
    """All of a document, or one."""
    graph = call(server, "footnotes", document_id="harbour-2020")
    assert call(server, "footnotes", document_id="harbour-2020", number=1)["footnotes"] == graph["footnotes"]
    assert graph["footnotes"][0]["work"]["id"] == "port-2019"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"query": " "}, "The query is empty"),
        ("search", {}, "query: Field required"),
        ("search", {"query": "x", "top": 3}, "top: Extra inputs are not permitted"),
        ("search", {"query": "x" * 5_000}, "at most"),
        ("fetch", {"id": "nothing"}, "There is no passage or document 'nothing'. Search for it"),
        ("fetch", {"id": "harbour-2020#999999"}, "999999 lies behind them"),
        ("ask", {"question": "?!"}, "Ask in words"),
        ("ask", {"question": "Why?", "history": [{"role": "wizard", "content": "x"}]}, "history.0.role"),
        ("ask", {"question": "Why?", "history": "[never closed"}, "history"),
        ("verify_quote", {"quote": ""}, "quotation"),
        ("verify_quote", {"quote": "dredged in 2019", "document_id": "nothing"}, "There is no document 'nothing'"),
        ("check_draft", {"text": ""}, "The draft"),
        ("check_draft", {"text": "It was.", "format": "docx"}, "format"),
        ("cite", {"ids": []}, "ids"),
        ("cite", {"ids": ["nothing"]}, "There is no passage, document or work 'nothing'"),
        ("cite", {"ids": ["harbour-2020"], "style": "mla"}, "style: Input should be"),
        ("footnotes", {"document_id": "nothing"}, "There is no document 'nothing'"),
        ("footnotes", {"document_id": "harbour-2020", "number": 7}, "harbour-2020 has no note 7"),
    ],
)
def test_what_a_caller_can_mend_is_an_error_that_says_so(server: Any, tool: str, arguments: dict[str, Any], said: str) -> None:
    """Never an empty result."""

    async def script(client: Client) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    result = use(server, script)
    assert result.is_error
    assert said in result.content[0].text
    assert result.structured_content is None


def test_a_tool_that_there_is_not_is_an_error_of_the_protocol(server: Any) -> None:
    """It names those there are."""
    error = refusal(server, lambda client: client.call_tool("zebra", {}))
    assert error.message.startswith("There is no tool 'zebra'. Tools are: search, fetch,")
    assert error.code == INVALID_PARAMS


def test_documents_and_passages_are_resources(server: Any, engine: Engine) -> None:
    """Read by address, each its exact text."""

    async def script(client: Client) -> Any:
        listed = await client.list_resources()
        templates = (await client.list_resource_templates()).resource_templates
        texts = [(await client.read_resource(resource.uri)).contents[0] for resource in listed.resources]
        passage = engine.search(QUESTION)[0].passage
        read = (await client.read_resource(f"eunato://passages/{passage.id}")).contents[0]
        assert read.text == passage.text
        return listed, templates, texts

    listed, templates, texts = use(server, script)
    assert [resource.name for resource in listed.resources] == list(engine.documents())
    assert listed.next_cursor is None
    assert [(text.uri, text.text, text.mime_type) for text in texts] == [
        (f"eunato://documents/{identity}", engine.document(identity).text, "text/plain") for identity in engine.documents()
    ]
    assert [template.uri_template for template in templates] == ["eunato://documents/{id}", "eunato://passages/{id}"]


def test_many_documents_are_listed_page_by_page(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Each once, in order."""
    (tmp_path / "corpus").mkdir()
    for n in range(120):
        (tmp_path / "corpus" / f"log {n}.txt").write_text(f"Log {n}\n\nShip number {n} came in.", "utf-8")
    reindex(tmp_path / "corpus", tmp_path / "index", embedder, Chunking())
    engine = Engine.open(tmp_path / "index", embedder)

    async def script(client: Client) -> list[str]:
        names, cursor = [], None
        for _ in range(3):
            page = await client.list_resources(cursor=cursor)
            names += [resource.name for resource in page.resources]
            cursor = page.next_cursor
        assert cursor is None
        return names

    assert use(create_server(Standing(engine), lambda request: BASE), script) == list(engine.documents())  # type: ignore[arg-type]
    engine.snapshot.close()


@pytest.mark.parametrize("uri", ["eunato://documents/nothing", "eunato://passages/nothing", "eunato://works/x", "file:///etc/passwd"])
def test_a_resource_that_there_is_not_is_an_error(server: Any, uri: str) -> None:
    """Of the protocol, with the address."""
    error = refusal(server, lambda client: client.read_resource(uri))
    assert error.message.startswith("There is no")
    assert (error.code, error.data) == (INVALID_PARAMS, {"uri": uri})


def test_a_cursor_that_nobody_gave_is_an_error(server: Any) -> None:
    """And no empty page."""
    assert "List the resources again" in refusal(server, lambda client: client.list_resources(cursor="nothing")).message


class Broken:
    """In the place of what is served: an index that is gone."""

    def engine(self) -> Any:
        raise OSError("/srv/secret/index is gone")


def test_what_fails_inside_tells_nothing_of_the_inside() -> None:
    """An id to look for in the log, and neither path nor traceback; in both eras."""
    server = create_server(Broken(), lambda request: BASE)  # type: ignore[arg-type]

    async def script(client: Client) -> str:
        result = await client.call_tool("search", {"query": "ships"})
        assert result.is_error
        with pytest.raises(MCPError) as caught:
            await client.list_resources()
        assert caught.value.code == INTERNAL_ERROR
        return str(result.content[0].text) + caught.value.message

    for mode in ("auto", "legacy"):
        said = use(server, script, mode)
        assert said.count("Something failed inside the service") == 2
        assert "secret" not in said


def alone(engine: Any) -> ASGIApp:
    """The endpoint over an engine, without the service around it but for the ids of its requests."""
    return Frame(Starlette(routes=[Route("/mcp", Endpoint(Standing(engine)))]), Metrics())  # type: ignore[arg-type]


class Patient:
    """In the place of an engine: checks a draft until nobody waits any more."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def check(self, manuscript: object, progress: Callable[[int, int], None]) -> Any:
        self.begun.set()
        try:
            for n in range(10_000):
                progress(n, 10_000)
                time.sleep(0.01)
        finally:
            self.ended.set()

    def documents(self) -> tuple[str, ...]:
        return ()


def test_a_long_call_keeps_nobody_waiting_and_who_cancels_it_ends_the_work() -> None:
    """Over HTTP, from one client."""
    engine = Patient()

    async def script(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "check_draft", {"text": "It was dredged in 2019."})
            assert await anyio.to_thread.run_sync(engine.begun.wait, 10)
            assert (await client.list_resources()).resources == []
            assert not engine.ended.is_set()
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(engine.ended.wait, 10)

    with running(alone(engine)) as address:
        use(f"{address}/mcp", script)


@ERAS
def test_who_hangs_up_ends_the_work(mode: str) -> None:
    """Before 2026-07-28 the protocol cancels by a message of its own, which finds no session; the end of the client is noticed."""
    engine = Patient()

    async def script(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "check_draft", {"text": "It was dredged in 2019."})
            assert await anyio.to_thread.run_sync(engine.begun.wait, 10)
            tasks.cancel_scope.cancel()

    with running(alone(engine)) as address:
        use(f"{address}/mcp", script, mode)
        assert engine.ended.wait(10)


def test_clients_are_served_side_by_side(serve: Serve) -> None:
    """Each gets what it asked for."""
    address = f"{serve()}/mcp"
    questions = [QUESTION, "What did the works cost?", "When was the codling moth seen?", "Why was the dredging late?"]
    answers: dict[str, str] = {}

    async def ask(question: str) -> None:
        async with Client(address) as client:
            answers[question] = (await client.call_tool("ask", {"question": question})).structured_content["answer"]

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for question in questions:
                tasks.start_soon(ask, question)

    anyio.run(all_at_once)
    for question, expected in zip(questions, ("2019", "3.2", "2021", "barge"), strict=True):
        assert expected in answers[question]


def test_links_lead_to_the_public_address(serve: Serve) -> None:
    """Where one is set."""
    address = serve(serving=Serving(public_url=BASE))
    assert call(f"{address}/mcp", "search", query="harbour")["results"][0]["url"].startswith(f"{BASE}/documents/")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_messages_are_sent_by_post(serve: Serve, method: str) -> None:
    """A stream without a session would hold a connection for nothing."""
    request = urllib.request.Request(f"{serve()}/mcp", method=method, headers={"Accept": "text/event-stream"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert (answer.code, answer.headers["allow"], json.loads(answer.read())["code"]) == (405, "POST", "method_not_allowed")


def test_other_names_and_pages_are_kept_out(serve: Serve) -> None:
    """On loopback, a site whose name resolves to this machine (DNS rebinding), and the pages of any other."""
    address = serve(serving=Serving(hosts=frozenset({"127.0.0.1"})))
    for headers, status in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)):
        given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
        request = urllib.request.Request(f"{address}/mcp", b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', given)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as answer:
            assert answer.code == status
