"""OpenAI's chat completions: what a client sends as a question with its history, and an answer in the shape it expects.

Of an answer a client shows the text, whose numbers are also annotations (`url_citation`); the whole answer goes along.
Left out: errors (openai_errors), and that words are sampled: what would steer a language model is accepted and has no effect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from eunato_rag.answering.conversation import MAX_ASSISTANT_TURN, MAX_TURNS, MAX_USER_TURN
from eunato_rag.engine import Engine
from eunato_rag.errors import InvalidQuestion
from eunato_rag.records import Answer, Concluded, Event, Said, Searched, Turn
from eunato_rag.serving.addresses import place_url
from eunato_rag.serving.http import render
from eunato_rag.tokens import count_tokens

MODEL = "eunato-rag"
_PARTS = ("text", "refusal", "input_text", "output_text")


def _text(content: object) -> object:
    """A message's content as text, whether it came as a string, as parts, or not at all (a call of a tool)."""
    if not isinstance(content, list):
        return "" if content is None else content
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else type(part).__name__
        if kind not in _PARTS:
            raise PydanticCustomError("not_text", "only text can be read, and this holds a part of type {kind}", {"kind": repr(kind)})
        texts.append(str(part.get("text") or part.get("refusal") or ""))
    return "\n".join(texts)


_TEXT_PART = {"type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}}, "required": ["type", "text"]}
Content = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": _TEXT_PART}, {"type": "null"}]})
]


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content = ""


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A conversation. Its last user message is the question; the user's and assistant's messages before it are its history.

    System and developer messages and the results of tools are neither evidence nor obeyed. Parameters that steer how a
    language model samples are accepted and have no effect; those that ask for what there is not are refused.
    """

    model_config = ConfigDict(extra="allow")

    model: str = Field(MODEL, examples=[MODEL])
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    def question(self) -> tuple[str, tuple[Turn, ...]]:
        """The question and its history.

        Clients send a conversation whole, however long it has become: its last turns are read, and long ones to their limit.

        Raises:
            InvalidQuestion: there is no user message.
        """
        turns = [Turn(m.role, m.content) for m in self.messages if m.role in ("user", "assistant")]
        asked = max((n for n, turn in enumerate(turns) if turn.role == "user"), default=None)
        if asked is None:
            raise InvalidQuestion("No message has the role user, and the last of those is the question. Send one.")
        most = {"user": MAX_USER_TURN, "assistant": MAX_ASSISTANT_TURN}
        history = [Turn(turn.role, turn.content[: most[turn.role]]) for turn in turns[:asked] if turn.content]
        return turns[asked].content, tuple(history[-MAX_TURNS:])

    def prompt_tokens(self) -> int:
        return sum(count_tokens(message.content) for message in self.messages)

    def unsupported(self) -> tuple[str, str] | None:
        """The first parameter that asks for what there is not, and what to do instead; None where there is none."""
        given: Mapping[str, Any] = self.model_extra or {}
        for name, is_fine, remedy in _LIMITS:
            if name in given and not is_fine(given):
                return name, f"{name} cannot be {json.dumps(given[name], ensure_ascii=False)[:100]} here: {remedy}"
        return None


_Fine = Callable[[Mapping[str, Any]], bool]
_LIMITS: Sequence[tuple[str, _Fine, str]] = (
    ("n", lambda p: p["n"] in (None, 1), "there is one answer to a question. Leave it out."),
    ("tools", lambda p: not p["tools"] or p.get("tool_choice") == "none", "no tools are called. Leave it out, or set tool_choice to none."),
    (
        "functions",
        lambda p: not p["functions"] or p.get("function_call") == "none",
        "no functions are called. Leave it out, or set function_call to none.",
    ),
    ("response_format", lambda p: p["response_format"] in (None, {"type": "text"}), "an answer is text. Leave it out, or ask for text."),
    ("logprobs", lambda p: not p["logprobs"], "an answer has no probabilities of tokens. Leave it out."),
    ("top_logprobs", lambda p: not p["top_logprobs"], "an answer has no probabilities of tokens. Leave it out."),
    ("audio", lambda p: p["audio"] is None, "an answer is text. Leave it out."),
    ("modalities", lambda p: p["modalities"] in (None, ["text"]), "an answer is text. Leave it out, or ask for text."),
)


class Completion:
    """One answer on its way to a chat client: whole, or in chunks. `base` is the service's own address."""

    def __init__(self, engine: Engine, request: ChatRequest, identity: str, base: str) -> None:
        self._engine, self._base, self._began = engine, base, time.perf_counter()
        self._with_usage = bool(request.stream_options and request.stream_options.include_usage)
        self._prompt_tokens = request.prompt_tokens()
        self._head = {"id": f"chatcmpl-{identity}", "created": int(time.time()), "model": MODEL, "system_fingerprint": engine.snapshot.id}

    def whole(self, answer: Answer) -> dict[str, Any]:
        """A `chat.completion`, with the answer as `/v1/ask` gives it in `answer`."""
        message = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": self._annotations(answer)}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self._usage(answer),
            "answer": self._rendered(answer),
        }

    def frame(self, event: Event) -> bytes:
        """The server-sent events that tell a client of an event; none for some.

        The annotations come in one chunk, since clients cannot merge lists; the answer goes along with `finish_reason`.
        """
        return b"".join(b"data: " + _json(chunk) + b"\n\n" for chunk in self._chunks(event)) + self._end(event)

    def _chunks(self, event: Event) -> Iterator[dict[str, Any]]:
        match event:
            case Searched():
                yield self._chunk({"role": "assistant", "content": ""})
            case Said(text):
                yield self._chunk({"content": text})
            case Concluded(answer):
                yield self._chunk({"annotations": self._annotations(answer)})
                yield {**self._chunk({}, "stop"), "answer": self._rendered(answer)}
                if self._with_usage:
                    yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage(answer)}

    def _chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._with_usage else {}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice], **usage}

    @staticmethod
    def _end(event: Event) -> bytes:
        return b"data: [DONE]\n\n" if isinstance(event, Concluded) else b""

    def _annotations(self, answer: Answer) -> list[dict[str, Any]]:
        """A `url_citation` for each citation; its indices are code points of the content, the end exclusive."""
        found = []
        for citation in answer.citations:
            document = self._engine.document(citation.passage.document_id)
            url = place_url(document, citation.locator.start, citation.locator.end, self._base)
            start, end = citation.answer_span
            found.append({"start_index": start, "end_index": end, "url": url, "title": document.title})
        return [{"type": "url_citation", "url_citation": each} for each in found]

    def _usage(self, answer: Answer) -> dict[str, int]:
        written = count_tokens(answer.text)
        return {"prompt_tokens": self._prompt_tokens, "completion_tokens": written, "total_tokens": self._prompt_tokens + written}

    def _rendered(self, answer: Answer) -> dict[str, Any]:
        took_ms = round((time.perf_counter() - self._began) * 1000, 1)
        return render.answer(self._engine, answer, took_ms).model_dump(mode="json")


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
