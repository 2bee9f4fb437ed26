"""The Python SDK's client against `datadog-mcp --sandbox` on a pipe, in both eras. Usage: client.py PROGRAM

Prints one line per era and exits with 1 when anything is not as an agent relies on it.
"""

import asyncio
import os
import sys

from mcp import Client, MCPError, StdioServerParameters


def text_of(result):
    return "\n".join(block.text for block in result.content if block.type == "text")


async def era(program, mode, expected):
    environment = {"PATH": os.environ["PATH"], "DATADOG_MCP_CONFIG": os.devnull, "DATADOG_MCP_LOG_LEVEL": "error"}
    server = StdioServerParameters(command=program, args=["--sandbox"], env=environment)
    async with Client(server, mode=mode, read_timeout_seconds=30) as client:
        assert client.protocol_version == expected, client.protocol_version
        assert client.server_info.name == "datadog-mcp", client.server_info
        assert "tools_find" in client.instructions, client.instructions

        tools = (await client.list_tools()).tools
        names = [tool.name for tool in tools]
        assert names == sorted(names) and "logs_search" in names, names
        for tool in tools:
            hints = tool.annotations
            assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint), tool.name

        progress = []

        async def on_progress(done, total, message):
            progress.append(done)

        logs = await client.call_tool("logs_search", {"query": "status:error", "from": "1h", "limit": "3"}, progress_callback=on_progress)
        assert not logs.is_error and "checkout" in text_of(logs), text_of(logs)
        assert progress == sorted(set(progress)), progress

        status = await client.call_tool("auth_status", {})
        assert not status.is_error and status.structured_content["signed_in"] is True, status

        wrong = await client.call_tool("logs_search", {"qery": "status:error"})
        assert wrong.is_error and "query" in text_of(wrong), text_of(wrong)

        try:
            await client.call_tool("log_search", {})
        except MCPError as error:
            assert error.code == -32602 and "logs_search" in error.message, error
        else:
            raise AssertionError("an unknown tool was answered")
        print(f"python {mode}: {client.protocol_version}, {len(tools)} tools, all well")


async def main(program):
    await era(program, "legacy", "2025-11-25")
    await era(program, "auto", "2026-07-28")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 120))
