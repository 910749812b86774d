"""Errors as `application/problem+json` (RFC 9457), with a `code` to branch on and the request's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from eunato_rag import errors
from eunato_rag.serving.http import openai_errors

STATUS: Mapping[type[errors.EunatoRagError], int] = {
    errors.InvalidQuestion: 422,
    errors.InvalidText: 422,
    errors.NotFound: 404,
    errors.IndexBusy: 409,
    errors.JobConflict: 409,
    errors.UnreadableDocument: 422,
    errors.IndexStoreError: 503,
    errors.KeyFileError: 503,
    errors.EunatoRagError: 500,
}
"""The most particular class that an error belongs to decides."""

_TITLES = {
    400: "The request is malformed",
    401: "A key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "The request came too slowly",
    409: "Busy",
    413: "The request is too large",
    415: "Unsupported content type",
    421: "Another host is meant",
    422: "The request does not fit",
    429: "Too many requests",
    500: "Internal error",
    503: "Not ready",
    504: "No answer in time",
}
RETRY_AFTER_S = "5"


def problem(
    request: Request, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    if openai_errors.speaks(request.url.path):
        status = openai_errors.status_of(status)
        more["error"] = openai_errors.error(status, code, detail, more.get("errors", ()))
    body = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request.state, "request_id", ""),
        **more,
    }
    told = {"Retry-After": RETRY_AFTER_S} if status in (429, 503) else {}
    return JSONResponse(body, status, {**told, **(headers or {})}, media_type="application/problem+json")


def of(request: Request, error: Exception) -> JSONResponse:
    """The problem that an error is; one that nobody foresaw says so and nothing of the inside."""
    if isinstance(error, errors.EunatoRagError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return problem(request, status, _code(type(error).__name__), str(error))
    return problem(request, 500, "internal_error", "Something failed inside the service; its log has this request's id.")


def install(app: FastAPI) -> None:
    """Every error of the app as a problem. A handler that is no coroutine would be run in a thread, which takes long where many compute."""

    @app.exception_handler(errors.EunatoRagError)
    async def ours(request: Request, error: errors.EunatoRagError) -> Response:
        return of(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        listed = [{"pointer": _pointer(e["loc"]), "detail": e["msg"]} for e in error.errors()]
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return problem(request, 400, "malformed_json", "The body is not JSON.", errors=listed)
        detail = "; ".join(f"{e['pointer'] or 'the body'}: {e['detail']}" for e in listed)
        return problem(request, 422, "invalid_request", detail, errors=listed)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 304:
            return Response(status_code=304, headers=error.headers)
        headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
        code = _code(_TITLES.get(error.status_code, "error"))
        return problem(request, error.status_code, code, str(error.detail), headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods that some route takes at a request's path (RFC 9110, 10.2.1); a HEAD is taken where a GET is."""
    found = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    return found[:1] + ["HEAD"] * ("GET" in found) + found[1:]


def _code(name: str) -> str:
    return "".join(("_" + c.lower() if c.isupper() and n else c.lower()) for n, c in enumerate(name)).replace(" ", "_").replace("__", "_")


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901, from the root of the body or, for a parameter, of the query."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location[1:])
