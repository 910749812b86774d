"""The door for language models: the service as a server of the Model Context Protocol, over stdio and streamable HTTP.

tools, connectors and resources say what is offered, server puts it on the wire with the protocol's own SDK, endpoint is `/mcp` of the
service, and command is `eunato-rag mcp`. Only server and endpoint import the SDK, at first use: it takes over a second.
"""
