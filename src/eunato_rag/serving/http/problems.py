"""Errors as `application/problem+json` (RFC 9457), with a `code` to branch on and the request's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from eunato_rag import errors

STATUS: Mapping[type[errors.EunatoRagError], int] = {
    errors.InvalidQuestion: 422,
    errors.InvalidText: 422,
    errors.NotFound: 404,
    errors.IndexBusy: 409,
    errors.IndexStoreError: 503,
    errors.EunatoRagError: 500,
}
"""The most particular class that an error belongs to decides."""

_TITLES = {
    400: "The request is malformed",
    404: "Not found",
    405: "Method not allowed",
    409: "Busy",
    413: "The request is too large",
    415: "Not JSON",
    422: "The request does not fit",
    503: "Not ready",
}
RETRY_AFTER_S = "5"


def problem(request: Request, status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request.state, "request_id", ""),
        **more,
    }
    headers = {"Retry-After": RETRY_AFTER_S} if status in (429, 503) else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def of(request: Request, error: Exception) -> JSONResponse:
    """The problem that an error is; one that nobody foresaw says so and nothing of the inside."""
    if isinstance(error, errors.EunatoRagError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return problem(request, status, _code(type(error).__name__), str(error))
    return problem(request, 500, "internal_error", "Something failed inside the service; its log has this request's id.")


def install(app: FastAPI) -> None:
    """Every error of the app as a problem."""
    app.exception_handler(errors.EunatoRagError)(of)
    app.exception_handler(Exception)(of)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        listed = [{"pointer": _pointer(e["loc"]), "detail": e["msg"]} for e in error.errors()]
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return problem(request, 400, "malformed_json", "The body is not JSON.", errors=listed)
        detail = "; ".join(f"{e['pointer'] or 'the body'}: {e['detail']}" for e in listed)
        return problem(request, 422, "invalid_request", detail, errors=listed)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(request, error.status_code, _code(_TITLES.get(error.status_code, "error")), str(error.detail))


def _code(name: str) -> str:
    return "".join(("_" + c.lower() if c.isupper() and n else c.lower()) for n, c in enumerate(name)).replace(" ", "_").replace("__", "_")


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901, from the root of the body or, for a parameter, of the query."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location[1:])
