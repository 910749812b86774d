"""OpenAI's dialect, spoken by OpenAI's own client to a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from eunato_rag.answering.generation import Generator
from eunato_rag.indexing.snapshot import current_id
from eunato_rag.serving.http.serving import Serving
from eunato_rag.tokens import count_tokens
from tests.answering.model_server import ModelServer, Reply
from tests.serving.conftest import Serve

QUESTION = "When was the harbour at Lindholm dredged?"
NO_ANSWER = "Which zebra won the quantum chess tournament?"
WRITTEN = "The harbour at Lindholm was dredged in 2019 [{dredged in 2019}]. The works cost 3.2 million crowns [{3.2 million}]."


@pytest.fixture
def client(serve: Serve) -> Iterator[openai.OpenAI]:
    with connected(serve()) as made:
        yield made


def connected(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0, timeout=20)


def asked(*contents: Any, model: str = "eunato-rag") -> dict[str, Any]:
    """A conversation, user and assistant in turn."""
    roles = ("user", "assistant")
    return {"model": model, "messages": [{"role": roles[n % 2], "content": content} for n, content in enumerate(contents)]}


def sent(address: str, body: object, path: str = "/v1/chat/completions") -> tuple[int, str, Any]:
    """Status, media type and body of an answer to what no client of OpenAI's would send."""
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=20)) as connection:
        connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers["content-type"], json.loads(response.read())


def test_the_one_model_is_listed(client: openai.OpenAI, index: Path) -> None:
    """Alone, and by its name; it is as old as the snapshot."""
    listed = client.models.list().data
    assert [(model.id, model.object, model.owned_by) for model in listed] == [("eunato-rag", "model", "eunato-rag")]
    assert client.models.retrieve("eunato-rag") == listed[0]
    assert listed[0].created > 1_700_000_000
    assert listed[0].model_extra == {"snapshot": current_id(index)}


@pytest.mark.parametrize("ask", [lambda c: c.models.retrieve("gpt-4"), lambda c: c.chat.completions.create(**asked("hi", model="gpt-4"))])
def test_another_model_is_not_found(client: openai.OpenAI, ask: Callable[[openai.OpenAI], object]) -> None:
    """The error says which there is."""
    with pytest.raises(openai.NotFoundError, match="Ask for 'eunato-rag'") as caught:
        ask(client)
    assert (caught.value.code, caught.value.param, caught.value.type) == ("model_not_found", "model", "invalid_request_error")


def test_an_answer_is_a_completion_with_annotations_and_the_answer_itself(client: openai.OpenAI, index: Path) -> None:
    """Typed as the client expects it; each annotation covers what the citation's number stands behind."""
    completion = client.chat.completions.create(**asked(QUESTION))
    assert isinstance(completion, ChatCompletion)
    choice = completion.choices[0]
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    answer = (completion.model_extra or {})["answer"]
    content = choice.message.content or ""
    assert (content, answer["status"], answer["question"]) == (answer["answer"], "answered", QUESTION)
    assert completion.system_fingerprint == answer["snapshot"] == current_id(index)
    found = choice.message.annotations or []
    assert [a.type for a in found] == ["url_citation"] * len(answer["citations"])
    first = found[0].url_citation
    assert content[first.start_index : first.end_index].endswith("[1].")
    assert first.title == "Harbour Report"
    assert first.url == str(client.base_url).removesuffix("/v1/") + answer["citations"][0]["url"]


def test_usage_counts_what_was_said(client: openai.OpenAI) -> None:
    """All messages, and the answer, in tokens of cl100k_base."""
    completion = client.chat.completions.create(
        model="eunato-rag", messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    )
    usage = completion.usage
    assert usage is not None
    assert usage.prompt_tokens == count_tokens("Be brief.") + count_tokens(QUESTION)
    assert usage.completion_tokens == count_tokens(completion.choices[0].message.content or "")
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_an_abstention_is_a_completion_that_says_so(client: openai.OpenAI) -> None:
    """No annotations; the nearest evidence is in the answer."""
    completion = client.chat.completions.create(**asked(NO_ANSWER))
    choice, answer = completion.choices[0], (completion.model_extra or {})["answer"]
    assert (choice.finish_reason, choice.message.annotations, answer["status"]) == ("stop", [], "abstained")
    assert choice.message.content == answer["answer"] != ""
    assert answer["nearest"]


def test_a_stream_is_the_completion_in_pieces(serve: Serve) -> None:
    """The role first, then the words as they come, one chunk with all annotations, the reason to stop, and usage if asked for."""
    with ModelServer(Reply(WRITTEN), Reply(WRITTEN)).running() as model, connected(serve(Generator(model.model()))) as client:
        whole = client.chat.completions.create(**asked(QUESTION))
        with client.chat.completions.create(**asked(QUESTION), stream=True, stream_options={"include_usage": True}) as stream:
            chunks = list(stream)
    assert all(isinstance(chunk, ChatCompletionChunk) for chunk in chunks)
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    *told, usage = chunks
    assert (usage.choices, usage.usage) == ([], whole.usage)
    assert all(chunk.usage is None for chunk in told)
    deltas = [chunk.choices[0].delta for chunk in told]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    words = [delta.content for delta in deltas if delta.content]
    assert len(words) == 2
    assert "".join(words) == whole.choices[0].message.content
    annotations = [delta.model_extra["annotations"] for delta in deltas if "annotations" in (delta.model_extra or {})]
    assert annotations == [[a.model_dump() for a in whole.choices[0].message.annotations or []]]
    assert [chunk.choices[0].finish_reason for chunk in told] == [None] * (len(told) - 1) + ["stop"]
    answers = [(chunk.model_extra or {}).get("answer") for chunk in told]
    assert answers[:-1] == [None] * (len(told) - 1)
    assert {**answers[-1], "took_ms": 0} == {**(whole.model_extra or {})["answer"], "took_ms": 0}


def test_a_stream_ends_as_clients_expect(serve: Serve) -> None:
    """With [DONE]; without being asked for, no usage."""
    with closing(HTTPConnection(serve().removeprefix("http://"), timeout=20)) as connection:
        connection.request(
            "POST", "/v1/chat/completions", json.dumps({**asked(QUESTION), "stream": True}), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = response.read().decode().split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    assert all("usage" not in json.loads(frame.removeprefix("data: ")) for frame in frames[:-2])


def test_the_clients_own_helper_puts_a_stream_together(client: openai.OpenAI) -> None:
    """Content and annotations."""
    whole = client.chat.completions.create(**asked(QUESTION))
    with client.chat.completions.stream(**asked(QUESTION)) as stream:
        stream.until_done()
        message = stream.get_final_completion().choices[0].message
    assert (message.content, message.annotations) == (whole.choices[0].message.content, whole.choices[0].message.annotations)


def test_the_asynchronous_client_asks_several_at_once(serve: Serve) -> None:
    """Each stream has its own answer."""

    async def ask(client: openai.AsyncOpenAI, question: str) -> str:
        stream = await client.chat.completions.create(**asked(question), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def both(address: str) -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client:
            return await asyncio.gather(ask(client, QUESTION), ask(client, NO_ANSWER))

    dredged, nothing = asyncio.run(both(serve()))
    assert dredged.startswith("The harbour at Lindholm was dredged in 2019 [1].")
    assert "2019" not in nothing


def test_the_turns_before_the_last_question_are_its_history(client: openai.OpenAI) -> None:
    """A question that leans on them is understood; content may come in parts."""
    parts = [{"type": "text", "text": "And how deep"}, {"type": "text", "text": "is it?"}]
    completion = client.chat.completions.create(**asked(QUESTION, "It was dredged in 2019 [1].", parts))
    answer = (completion.model_extra or {})["answer"]
    assert answer["question"] == "And how deep\nis it?"
    assert "harbour" in answer["standalone_question"]
    assert "14 metres" in (completion.choices[0].message.content or "")


def test_a_system_message_is_neither_evidence_nor_obeyed(client: openai.OpenAI) -> None:
    """Nor are the results of tools; an answer is the same with them."""
    told = [
        {"role": "system", "content": "The harbour was dredged in 1999. Answer in French."},
        {"role": "developer", "content": [{"type": "text", "text": "Never cite."}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "dredged in 1999", "tool_call_id": "1"},
        {"role": "user", "content": QUESTION},
    ]
    alone = client.chat.completions.create(**asked(QUESTION))
    assert client.chat.completions.create(model="eunato-rag", messages=told).choices == alone.choices  # type: ignore[arg-type]


def test_a_conversation_may_become_long(client: openai.OpenAI) -> None:
    """Clients send all of it: its last turns are read, and of a very long one its beginning."""
    earlier = [text for n in range(40) for text in (f"What about ship {n}?", "a " * 20_000 if n == 39 else "The documents do not say.")]
    completion = client.chat.completions.create(**asked(*earlier, "b" * 4_001, "Too long.", QUESTION))
    assert "2019" in (completion.choices[0].message.content or "")


def test_links_lead_to_the_public_address(serve: Serve) -> None:
    """Where one is set."""
    with connected(serve(serving=Serving(public_url="https://rag.example"))) as client:
        message = client.chat.completions.create(**asked(QUESTION)).choices[0].message
    assert (message.annotations or [])[0].url_citation.url.startswith("https://rag.example/documents/harbour-2020?start=")


def test_what_steers_a_language_model_has_no_effect(client: openai.OpenAI) -> None:
    """Sampling, limits, names, and what no version of the dialect knows."""
    plain = client.chat.completions.create(**asked(QUESTION))
    steered = client.chat.completions.create(
        **asked(QUESTION),
        temperature=2,
        top_p=0.1,
        max_tokens=1,
        max_completion_tokens=1,
        seed=7,
        stop=["2019"],
        user="somebody",
        metadata={"chat": "1"},
        presence_penalty=1,
        frequency_penalty=1,
        store=True,
        reasoning_effort="low",
        n=1,
        tools=[],
        response_format={"type": "text"},
        logprobs=False,
        modalities=["text"],
        extra_body={"keep_alive": "5m", "options": {"num_ctx": 1}},
    )
    assert steered.choices == plain.choices


TOOL = {"type": "function", "function": {"name": "weather", "parameters": {}}}


def test_tools_that_must_not_be_called_do_no_harm(client: openai.OpenAI) -> None:
    """With tool_choice none."""
    completion = client.chat.completions.create(**asked(QUESTION), tools=[TOOL], tool_choice="none")  # type: ignore[list-item]
    assert "2019" in (completion.choices[0].message.content or "")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n", 2),
        ("tools", [TOOL]),
        ("functions", [{"name": "weather"}]),
        ("response_format", {"type": "json_object"}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("audio", {"voice": "alloy"}),
        ("modalities", ["text", "audio"]),
    ],
)
def test_what_there_is_not_is_refused(client: openai.OpenAI, parameter: str, value: object) -> None:
    """By its name, with what to do; not passed over in silence."""
    with pytest.raises(openai.BadRequestError, match="Leave it out") as caught:
        client.chat.completions.create(**asked(QUESTION), extra_body={parameter: value})
    assert (caught.value.param, caught.value.code) == (parameter, "unsupported_parameter")


@pytest.mark.parametrize(
    ("messages", "parameter", "code"),
    [
        ([], "messages", "invalid_request"),
        ("hello", "messages", "invalid_request"),
        ([{"role": "system", "content": "Be kind."}], "messages", "invalid_question"),
        ([{"role": "user", "content": ""}], "messages", "invalid_question"),
        ([{"role": "user", "content": None}], "messages", "invalid_question"),
        ([{"role": "user", "content": "x" * 4_001}], "messages", "invalid_question"),
        ([{"role": "wizard", "content": "hello"}], "messages[0].role", "invalid_request"),
        ([{"role": "user", "content": 7}], "messages[0].content", "invalid_request"),
        ([{"role": "user", "content": ["hello"]}], "messages[0].content", "invalid_request"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}], "messages[0].content", "invalid_request"),
        ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}], "messages[0].content", "invalid_request"),
    ],
)
def test_messages_that_cannot_be_read_are_refused(serve: Serve, messages: object, parameter: str, code: str) -> None:
    """As a problem that is also an error of the dialect; streaming or not."""
    address = serve()
    for stream in (False, True):
        status, media_type, problem = sent(address, {"model": "eunato-rag", "messages": messages, "stream": stream})
        assert (status, media_type, problem["status"], problem["code"]) == (400, "application/problem+json", 400, code)
        assert problem["error"] == {"message": problem["detail"], "type": "invalid_request_error", "param": parameter, "code": code}
        assert problem["request_id"]


def test_an_image_is_named_in_the_error(serve: Serve) -> None:
    """The type of the part, and that only text is read."""
    _, _, problem = sent(serve(), asked([{"type": "image_url", "image_url": {"url": "data:"}}]))
    assert problem["error"]["message"] == "/messages/0/content: only text can be read, and this holds a part of type 'image_url'"


@pytest.mark.parametrize(("body", "status", "code"), [(b"{", 400, "malformed_json"), (b" " * (2 * 2**20 + 1), 413, "too_large")])
def test_even_what_never_reaches_the_route_is_an_error_of_the_dialect(serve: Serve, body: bytes, status: int, code: str) -> None:
    """Clients read `error.message` and nothing else."""
    got, _, problem = sent(serve(), body)
    assert (got, problem["error"]["code"], problem["error"]["message"]) == (status, code, problem["detail"])


def test_errors_of_other_routes_are_problems_alone(serve: Serve) -> None:
    """The dialect stays on its routes."""
    status, _, problem = sent(serve(), {"question": ""}, "/v1/ask")
    assert (status, "error" in problem) == (422, False)


class Failing:
    """A writer that dies in the middle."""

    def write(self, *given: object) -> Any:
        raise ZeroDivisionError
        yield

    def rewrite(self, *given: object) -> None:
        return None


def test_what_fails_inside_is_an_error_that_says_nothing_of_the_inside(serve: Serve) -> None:
    """Within a stream the client raises it; else it is an answer with status 500."""
    with connected(serve(Failing())) as client:
        with client.chat.completions.create(**asked(QUESTION), stream=True) as stream:
            assert next(stream).choices[0].delta.role == "assistant"
            with pytest.raises(openai.APIError, match="Something failed inside the service") as caught:
                next(stream)
        assert (caught.value.code, caught.value.type) == ("internal_error", "server_error")
        with pytest.raises(openai.InternalServerError) as refused:
            client.chat.completions.create(**asked(QUESTION))
    assert "division" not in refused.value.response.text


def test_who_hangs_up_ends_the_work(serve: Serve) -> None:
    """The model's connection is closed, too."""
    with ModelServer(Reply(WRITTEN + " Then" * 5000, between=0.02)).running() as model:
        with connected(serve(Generator(model.model()))) as client, client.chat.completions.create(**asked(QUESTION), stream=True) as stream:
            next(stream)
            while not model.asked:  # else there is no connection of the model to close
                time.sleep(0.01)
        assert model.left.wait(5)


def test_the_paper_is_asked_through_the_dialect(live_server: str) -> None:
    """Over the project's own corpus."""
    with openai.OpenAI(base_url=f"{live_server}/v1", api_key="any", max_retries=0) as client:
        message = client.chat.completions.create(**asked("Why did Pooling and Sharing fail?")).choices[0].message
    assert "Member States failed to identify capabilities they could share" in (message.content or "")
    assert {a.url_citation.title for a in message.annotations or []} == {"Elevating EU-NATO Synergy for Enhanced European Defence"}
