"""Tools and resources on the wire, by the SDK of the Model Context Protocol. The only import of its server.

What a caller can mend is a result that says so (`isError`), for a model to read; what went wrong inside is in the log, and
the caller is told no more than that. The engine works in threads; whoever cancels ends the work at its next step.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import structlog
from anyio.to_thread import run_sync
from mcp import MCPError
from mcp.server.lowlevel.server import Server
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as WireTool
from pydantic import ValidationError
from starlette.requests import Request

from eunato_rag.errors import InvalidQuestion, InvalidText, NotFound
from eunato_rag.serving.http.served import Served
from eunato_rag.serving.mcp import resources
from eunato_rag.serving.mcp.calls import Call
from eunato_rag.serving.mcp.tools import TOOLS, Tool, absolute

INSTRUCTIONS = (
    "Documents on EU-NATO cooperation: a policy paper and the works it cites. Every answer, quotation and reference from here is verified "
    "against them to the letter; what they do not say is reported as such and should not be filled in from memory. "
    "ask answers a question; search and fetch give evidence; verify_quote and check_draft check what somebody wrote; cite and footnotes "
    "lead to sources. When you use an answer, keep its numbers and name its references."
)
INTERNAL = "Something failed inside the service; its log has more under {}. Try again, or tell who runs it."
_MENDABLE = (InvalidQuestion, InvalidText, NotFound)
_BY_NAME = {tool.name: tool for tool in TOOLS}

T = TypeVar("T")
Context = Any
"""The SDK's context of a request; its type has parameters that differ between the handlers."""

log = structlog.get_logger("eunato_rag.mcp")


def create_server(served: Served, base: Callable[[Request | None], str]) -> Server[Any]:
    """The server; `base` gives the service's own address for an HTTP request, or for none."""

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_wire(tool) for tool in TOOLS])

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = _BY_NAME.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool {params.name!r}. Tools are: {', '.join(_BY_NAME)}.")
        try:
            arguments = tool.arguments.model_validate(params.arguments or {})
        except ValidationError as error:
            return _failed(f"{tool.name} cannot be called so: {_explained(error)}")
        request = _request_id(context)

        def run() -> dict[str, Any]:
            call = Call(served.engine(), base(context.request), request, partial(_step, context))
            return absolute(tool.run(call, arguments).model_dump(mode="json"), call.base)  # type: ignore[no-any-return]

        try:
            found = await run_sync(run)
        except _MENDABLE as error:
            return _failed(str(error))
        except Exception:  # a caller learns that it failed and under which id, nothing of the inside; the log has all
            log.exception("tool failed", tool=tool.name, id=request)
            return _failed(INTERNAL.format(request))
        return CallToolResult(content=[TextContent(text=_text(found))], structured_content=found)

    async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        listed, cursor = await _read(context, lambda: resources.listing(served.engine(), params.cursor if params else None))
        found = [Resource(uri=r.uri, name=r.name, title=r.title, description=r.description, mime_type=resources.MIME_TYPE) for r in listed]
        return ListResourcesResult(resources=found, next_cursor=cursor)

    async def list_templates(context: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        templates = [
            ResourceTemplate(uri_template=uri, name=name, title=name.capitalize(), description=description, mime_type=resources.MIME_TYPE)
            for uri, (name, description) in resources.TEMPLATES.items()
        ]
        return ListResourceTemplatesResult(resource_templates=templates)

    async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        text = await _read(context, lambda: resources.read(served.engine(), uri), {"uri": uri})
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=resources.MIME_TYPE, text=text)])

    return Server(
        "eunato-rag",
        version=version("eunato-rag"),
        title="EU-NATO documents",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def _wire(tool: Tool) -> WireTool:
    return WireTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.result.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _step(context: Context, done: int, total: int) -> None:
    """From a worker's thread: ends the work if the call was cancelled, else tells a caller who asked for it how far it is."""
    anyio.from_thread.check_cancelled()
    if total:
        anyio.from_thread.run(context.session.report_progress, done, total)


def _request_id(context: Context) -> str:
    """The id that the log knows a request by."""
    return str(context.request.state.request_id) if context.request is not None else uuid.uuid4().hex


async def _read(context: Context, read: Callable[[], T], data: object = None) -> T:
    """What reading in a thread gives; an error of the protocol if it fails."""
    try:
        return await run_sync(read)
    except _MENDABLE as error:
        raise MCPError(INVALID_PARAMS, str(error), data) from error
    except Exception as error:
        request = _request_id(context)
        log.exception("resource failed", id=request)
        raise MCPError(INTERNAL_ERROR, INTERNAL.format(request)) from error


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=message)], is_error=True)


def _text(found: Mapping[str, Any]) -> str:
    """The result as the text that clients without structured results read."""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _explained(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in e['loc']) or 'the arguments'}: {e['msg']}" for e in error.errors())
