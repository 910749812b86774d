"""`eunato-rag mcp`: the server that a program with a language model starts and talks to over stdio, or finds over HTTP."""

from __future__ import annotations

import signal
import sys
from functools import partial
from typing import Annotated

import typer

from eunato_rag.serving import assembly
from eunato_rag.serving.options import Index, read_settings

app = typer.Typer()


@app.command(epilog="Example: eunato-rag mcp --index /srv/eunato/index")
def mcp(
    index: Index = None,
    http: Annotated[bool, typer.Option("--http", help="Serve over streamable HTTP, at /mcp of the service, instead of stdio.")] = False,
    host: Annotated[str | None, typer.Option(help="With --http: address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="With --http: port to listen on.", show_default="8000")] = None,
) -> None:
    """Serve language models by the Model Context Protocol: search, fetch, ask, verify_quote, check_draft, cite, footnotes.

    A program that starts this may do so from any folder: give --index its full path. What goes wrong is on standard error.
    With --http this is the whole service, as eunato-rag serve starts it.
    """
    settings = read_settings(None, index)
    address, number = host or settings.serving.host, settings.serving.port if port is None else port
    if http:
        from eunato_rag.serving.serve_command import serve

        print(f"MCP clients connect to http://{address}:{number}/mcp", file=sys.stderr)
        serve(corpus=None, index=index, host=host, port=port)
        return
    import anyio
    from mcp.server.stdio import stdio_server

    from eunato_rag.engine import Engine
    from eunato_rag.indexing.snapshot import current_id
    from eunato_rag.serving.http import logs
    from eunato_rag.serving.http.served import Served
    from eunato_rag.serving.mcp.server import create_server

    logs.configure(settings.serving.log_format)  # to standard error: standard output is the protocol's
    current_id(settings.index)  # says that there is no index before the model is loaded
    make = partial(Engine, entailment=assembly.entailment(settings))
    parts = assembly.embedder(settings), assembly.writer(settings), assembly.reranker(settings)
    served = Served(settings.index, *parts, make, assembly.milvus(settings))
    base = settings.serving.public_url or f"http://{address}:{number}"
    server = create_server(served, lambda request: base)

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl+C would wait for the next line of standard input

    async def run() -> None:
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())

    anyio.run(run)
