"""The description of the API (OpenAPI 3.1): what FastAPI knows of the routes, and what all of them have in common.

Which key an operation needs, and the problems that it may answer with. `/mcp` is described by its own protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from eunato_rag.serving.http import openai_errors
from eunato_rag.serving.http.access import needed
from eunato_rag.serving.http.limits import is_computed

TAGS = (
    ("questions", "Passages for a query, and answers to questions: each sentence cited, each citation verified to the letter."),
    ("writing", "For people who write: quotations, drafts, references, and saved citations to re-check."),
    ("corpus", "What the answers come from: documents, their texts, notes and pages, passages, works."),
    ("operation", "Jobs, documents put in and taken out, snapshots. Needs a key of scope `admin` where keys are asked for."),
    ("openai", "OpenAI's dialect, for chat clients. Errors have the member `error` besides those of a problem."),
    ("state", "Whether the service lives, is ready, what runs, and its figures."),
)

_DESCRIPTIONS: Mapping[int, str] = {
    400: "The body is malformed",
    401: "A key is needed, or the one that was sent is unknown or revoked",
    403: "The key has not the scope that is needed, or a page of another site sent this",
    404: "There is nothing of that id",
    405: "The method is not one of those in `Allow`",
    408: "The body came too slowly",
    409: "It cannot be done now, or not so: another does it, or a cursor or key belongs to something else",
    413: "The body is too large",
    415: "The body is of another type",
    422: "The request does not fit; `errors` says where, by JSON pointers",
    429: "Too many requests; `Retry-After` says when to go on",
    500: "Something failed inside; the log has the request's id",
    503: "Not ready, or too much to compute; `Retry-After` says when to try again",
    504: "No answer in time",
}
_HEADERS: Mapping[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "What kind of key is asked for (RFC 6750)"),
    405: ("Allow", "The methods that are taken"),
    429: ("Retry-After", "Seconds to wait"),
    503: ("Retry-After", "Seconds to wait"),
}
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is to branch on, `detail` to read; the log names the request by `request_id`.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Not found"]},
        "status": {"type": "integer", "examples": [404]},
        "detail": {"type": "string", "examples": ["There is no document 'none' in this snapshot."]},
        "code": {"type": "string", "examples": ["not_found"]},
        "request_id": {"type": "string", "examples": ["8f14e45fceea167a5a36dedd4bea2543"]},
        "errors": {
            "type": "array",
            "description": "Where the request does not fit: JSON pointers (RFC 6901) from the root of the body.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string", "examples": ["/top_k"]}, "detail": {"type": "string"}},
            },
        },
        "error": {
            "type": "object",
            "description": "On the routes of OpenAI's dialect: the error in the shape that its clients read.",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        },
    },
}


def install(app: FastAPI) -> None:
    """Have an application describe itself in full; made once, when somebody asks."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    schema["tags"] = [{"name": name, "description": description} for name, description in TAGS]
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key as `eunato-rag keys add` made it. Asked for where others can call.",
        }
    }
    shapes = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    shapes["Problem"] = dict(PROBLEM)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _describe(method.upper(), path, operation)


def _describe(method: str, path: str, operation: dict[str, Any]) -> None:
    right = needed(method, path)
    if right is not None:
        operation["security"] = [{"key": []}, {}]  # whether one is asked for, the service's settings decide
        operation["x-scope"] = right
    operation["responses"].pop("422", None)  # FastAPI's own shape of it
    for status in sorted(set(_possible(method, path, operation, right is not None))):
        response: dict[str, Any] = {
            "description": _DESCRIPTIONS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in _HEADERS:
            name, description = _HEADERS[status]
            response["headers"] = {name: {"description": description, "schema": {"type": "string"}}}
        operation["responses"][str(status)] = response
    if any(given["name"] == "snapshot" and given["in"] == "query" for given in operation.get("parameters", ())):
        tagged = {"ETag": {"description": "Changes with the snapshot; send it as If-None-Match", "schema": {"type": "string"}}}
        operation["responses"]["200"].setdefault("headers", {}).update(tagged)
        operation["responses"]["304"] = {"description": "What If-None-Match names is what would be sent"}


def _possible(method: str, path: str, operation: Mapping[str, Any], keyed: bool) -> Iterator[int]:
    """The statuses of problems that an operation may answer with."""
    yield from (405, 500)
    if keyed:
        yield from (401, 403, 429)
    if path.startswith("/v1/"):
        yield 503
    if is_computed(path) and path.startswith("/v1/"):
        yield 504
    takes = bool(operation.get("parameters")) or "requestBody" in operation
    if takes:
        yield 400 if openai_errors.speaks(path) else 422
    if takes or method != "GET":
        yield from (404, 409)
    if "requestBody" in operation:
        yield from (400, 408, 413, 415)
    if method != "GET":
        yield 403
