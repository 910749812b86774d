"""What readers ask of the service under load: one coroutine a kind of request, each answer checked.

Each takes a `Reader` and asks what its chance decides. A wrong answer is a `Wrong`; so is any status but the right one.
Left out: what an operator does (soak_operator).
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

Table = dict[str, Any]
STYLES = ("chicago", "apa", "bibtex", "ris", "csl-json")
_NO_PART = ("took_ms",)
_WORDS = re.compile(r"\S+")


class Wrong(Exception):
    """An answer is not what it should be."""


def want(holds: object, what: str) -> None:
    if not holds:
        raise Wrong(what)


@dataclass(frozen=True, slots=True)
class Material:
    """What is asked: questions, conversations as lists of questions, and the texts of documents that do not change, by id."""

    questions: Sequence[str]
    conversations: Sequence[Sequence[str]]
    texts: dict[str, str]
    told: dict[tuple[str, str], Table] = field(default_factory=dict)
    """Answers by question and snapshot: the same question has the same answer in the same snapshot."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One who asks: a connection, chance, and what there is to ask."""

    client: httpx2.AsyncClient
    chance: Random
    material: Material

    async def call(self, method: str, path: str, status: int = 200, **more: Any) -> httpx2.Response:
        response = await self.client.request(method, path, **more)
        want(response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:200]}")
        return response

    async def post(self, path: str, body: Table) -> Table:
        return dict((await self.call("POST", path, json=body)).json())

    def question(self) -> str:
        return self.chance.choice(self.material.questions)

    def quotation(self) -> str:
        """Some 15 to 50 words of a document, as they stand."""
        text = self.chance.choice(list(self.material.texts.values()))
        words = [match.span() for match in _WORDS.finditer(text)]
        first = self.chance.randrange(max(1, len(words) - 60))
        last = min(len(words), first + self.chance.randint(15, 50)) - 1
        return text[words[first][0] : words[last][1]]


async def search(reader: Reader) -> None:
    top_k = reader.chance.randint(1, 20)
    found = await reader.post("/v1/search", {"query": reader.question(), "top_k": top_k})
    hits = found["hits"]
    want(0 < len(hits) <= top_k, f"{len(hits)} hits of {top_k}")
    want([hit["rank"] for hit in hits] == list(range(1, len(hits) + 1)), "ranks are not 1, 2, 3 …")
    hit = reader.chance.choice(hits)
    await is_slice(reader, hit["passage"]["document_id"], hit["passage"]["locator"], hit["passage"]["text"], found["snapshot"])


async def ask(reader: Reader) -> None:
    question = reader.question()
    answer = await reader.post("/v1/ask", {"question": question})
    await is_sound(reader, answer)
    same(reader, question, answer)


async def replay(reader: Reader) -> None:
    """The same answer again, from the snapshot that it names."""
    question = reader.question()
    first = await reader.post("/v1/ask", {"question": question})
    again = await reader.post("/v1/ask", {"question": question, "snapshot": first["snapshot"]})
    want(_lasting(first) == _lasting(again), f"the replayed answer to {question!r} differs")


async def conversation(reader: Reader) -> None:
    history: list[Table] = []
    for question in reader.chance.choice(reader.material.conversations):
        answer = await reader.post("/v1/ask", {"question": question, "history": history})
        await is_sound(reader, answer)
        history += [{"role": "user", "content": question}, {"role": "assistant", "content": answer["answer"] or answer["reason"]}]


async def stream(reader: Reader) -> None:
    question = reader.question()
    async with _streamed(reader, question) as response:
        events = [event async for event in _events(response)]
    want(events[0][0] == "search", f"a stream begins with {events[0][0]}")
    want(events[-1][0] == "answer", f"a stream ends with {events[-1][0]}")
    answer = events[-1][1]
    said = "".join(data["text"] for name, data in events if name == "answer.delta")
    want(said == answer["answer"], "the parts of a stream are not the answer")
    want([data for name, data in events if name == "citation"] == answer["citations"], "the citations of a stream are not the answer's")
    same(reader, question, answer)


async def broken_stream(reader: Reader) -> None:
    """Who hangs up after the first event, or without any."""
    async with _streamed(reader, reader.question()) as response:
        if reader.chance.random() < 0.7:
            async for name, _ in _events(response):
                want(name == "search", f"a stream begins with {name}")
                break


async def right_quote(reader: Reader) -> None:
    quotation = reader.quotation()
    found = await reader.post("/v1/quotes", {"quote": quotation})
    want(found["status"] == "exact", f"{found['status']}, not exact: {quotation!r}")
    match = found["matches"][0]
    await is_slice(reader, match["document"]["id"], match["locator"], match["quote"], found["snapshot"])


async def altered_quote(reader: Reader) -> None:
    quotation = reader.quotation()
    words = quotation.split()
    words[len(words) // 2] = "otherwise"
    found = await reader.post("/v1/quotes", {"quote": " ".join(words)})
    want(found["status"] == "altered", f"{found['status']}, not altered: {' '.join(words)!r}")


async def draft(reader: Reader) -> None:
    quotation = reader.quotation()
    text = f"The Pooling and Sharing concept was adopted in 2012. The paper says: “{quotation}”. NATO has 32 Allies."
    checked = await reader.post("/v1/drafts", {"text": text})
    want(sum(checked["counts"].values()) >= len(checked["sentences"]) > 0, "sentences are not counted")
    for sentence in checked["sentences"]:
        own = text[sentence["start"] : sentence["end"]]
        want(own.split() == sentence["text"].split(), "a sentence is not where it is said to stand in the draft")
        for evidence in sentence["evidence"][:1]:
            await is_slice(reader, evidence["document"]["id"], evidence["locator"], evidence["quote"], checked["snapshot"])


async def references(reader: Reader) -> None:
    identity = reader.chance.choice(list(reader.material.texts))
    places = [{"document_id": identity, "start": 0, "end": 40}]
    told = await reader.post("/v1/references", {"ids": [identity], "places": places, "style": reader.chance.choice(STYLES)})
    want(len(told["references"]) == 2, f"{len(told['references'])} references for 2")
    want(told["text"], "no text")


async def recheck(reader: Reader) -> None:
    """An answer's citations still hold a moment later."""
    answer = await reader.post("/v1/ask", {"question": reader.question()})
    citations = [citation for citation in answer["citations"] if citation["document"]["id"] in reader.material.texts]
    checked = await reader.post("/v1/verify", {**answer, "citations": citations})
    want(checked["holds"], f"a fresh answer does not hold: {checked['counts']}")


async def browse(reader: Reader) -> None:
    identity = reader.chance.choice(list(reader.material.texts))
    for path in ("/v1/documents", f"/v1/documents/{identity}", f"/v1/documents/{identity}/footnotes", "/v1/works", "/", "/library"):
        await reader.call("GET", path)
    whole = (await reader.call("GET", f"/v1/documents/{identity}/text")).json()
    want(whole["text"] == reader.material.texts[identity], f"the text of {identity} is another")
    await reader.call("GET", f"/v1/documents/{identity}-none", status=404)


async def revalidate(reader: Reader) -> None:
    path = reader.chance.choice(("/v1/documents", "/v1/works", "/page/-/app.js"))
    first = await reader.call("GET", path)
    tag = first.headers["etag"]
    again = await reader.client.get(path, headers={"If-None-Match": tag})
    if again.status_code == 304:
        want(not again.content, "304 with a body")
    else:  # a new snapshot came between the two
        want(again.status_code == 200 and again.headers["etag"] != tag, f"{path}: {again.status_code} for its own tag")


async def chat(reader: Reader) -> None:
    """In OpenAI's dialect."""
    question = reader.question()
    answer = await reader.post("/v1/chat/completions", {"model": "eunato-rag", "messages": [{"role": "user", "content": question}]})
    want(answer["choices"][0]["message"]["content"], "an empty message")


async def mcp(reader: Reader) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    call = {"name": "search", "arguments": {"query": reader.question()}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    told = (await reader.call("POST", "/mcp", json=body, headers=headers)).text
    message = json.loads(told[told.index("{") :].splitlines()[0])
    want("result" in message and not message["result"].get("isError"), f"a tool failed: {told[:200]}")


async def look(reader: Reader) -> None:
    """As a balancer and Prometheus do."""
    for path in ("/livez", "/readyz", "/metrics", "/version"):
        await reader.call("GET", path)


async def nonsense(reader: Reader) -> None:
    """Each refused with its own status."""
    await reader.call("POST", "/v1/search", status=422, json={"query": ""})
    await reader.call("POST", "/v1/ask", status=400, content=b"{", headers={"Content-Type": "application/json"})
    await reader.call("POST", "/v1/ask", status=404, json={"question": reader.question(), "snapshot": "000000000000"})
    await reader.call("GET", "/v1/nothing", status=404)


KINDS: dict[Callable[[Reader], Awaitable[None]], int] = {
    search: 15,
    ask: 15,
    replay: 4,
    conversation: 6,
    stream: 8,
    broken_stream: 6,
    right_quote: 8,
    altered_quote: 5,
    draft: 3,
    references: 4,
    recheck: 3,
    browse: 6,
    revalidate: 5,
    chat: 3,
    mcp: 3,
    look: 4,
    nonsense: 2,
}
"""How often each is done, of a hundred times."""


def is_whole(answer: Table) -> None:
    """Whether an answer is as it is promised."""
    want(answer["status"] in ("answered", "abstained"), answer["status"])
    want((answer["status"] == "answered") == bool(answer["citations"]), f"{answer['status']} with {len(answer['citations'])} citations")
    for citation in answer["citations"]:
        want(citation["verification"]["status"] == "exact", "a citation is not verified")
        want(0 <= citation["answer_span"]["start"] < citation["answer_span"]["end"] <= len(answer["answer"]), "a span is off the answer")


async def is_sound(reader: Reader, answer: Table) -> None:
    """The same, and one of its quotations is compared with the document."""
    is_whole(answer)
    if answer["citations"]:
        one = reader.chance.choice(answer["citations"])
        await is_slice(reader, one["document"]["id"], one["locator"], one["quote"], answer["snapshot"])


async def is_slice(reader: Reader, identity: str, locator: Table, text: str, snapshot: str) -> None:
    """Whether a text stands in its document, to the letter, where it is said to."""
    place = {"start": locator["start"], "end": locator["end"], "snapshot": snapshot}
    found = (await reader.call("GET", f"/v1/documents/{identity}/text", params=place)).json()["text"]
    want(found == text, f"{identity} has {found[:80]!r} where {text[:80]!r} is said to stand")


def same(reader: Reader, question: str, answer: Table) -> None:
    """Whether an answer is that which the same question had before in the same snapshot."""
    known = reader.material.told.setdefault((question, answer["snapshot"]), answer)
    want(_lasting(known) == _lasting(answer), f"{question!r} has two answers in snapshot {answer['snapshot']}")


def _lasting(answer: Table) -> Table:
    return {name: value for name, value in answer.items() if name not in _NO_PART}


def _streamed(reader: Reader, question: str) -> Any:
    return reader.client.stream("POST", "/v1/ask", json={"question": question}, headers={"Accept": "text/event-stream"})


async def _events(response: httpx2.Response) -> AsyncIterator[tuple[str, Table]]:
    want(response.status_code == 200, f"a stream: {response.status_code}")
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
