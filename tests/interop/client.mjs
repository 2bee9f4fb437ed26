// The TypeScript SDK's client against `datadog-mcp --sandbox` on a pipe, in both eras. Usage: node client.mjs PROGRAM
//
// Run it where @modelcontextprotocol/client can be resolved. Prints one line per era and exits with 1 when anything is not as an agent
// relies on it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Resolved from the working directory, so that this file need not lie beside node_modules.
const require = createRequire(pathToFileURL(process.cwd() + "/"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load("@modelcontextprotocol/client");
const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");

const text = (result) => result.content.filter((block) => block.type === "text").map((block) => block.text).join("\n");

async function era(mode, expected) {
  const env = { PATH: process.env.PATH, DATADOG_MCP_CONFIG: "/dev/null", DATADOG_MCP_LOG_LEVEL: "error" };
  const transport = new StdioClientTransport({ command: process.argv[2], args: ["--sandbox"], env });
  const client = new Client({ name: "interop", version: "0" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  assert.equal(client.getNegotiatedProtocolVersion(), expected);
  assert.equal(client.getServerVersion().name, "datadog-mcp");
  assert.match(client.getInstructions(), /tools_find/);

  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  assert.deepEqual(names, [...names].sort());
  for (const { name, annotations } of tools) {
    for (const hint of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]) {
      assert.equal(typeof annotations[hint], "boolean", `${name} ${hint}`);
    }
  }

  const seen = [];
  const logs = await client.callTool(
    { name: "logs_search", arguments: { query: "status:error", from: "1h", limit: "3" } },
    { onprogress: ({ progress }) => seen.push(progress) },
  );
  assert.ok(!logs.isError && text(logs).includes("checkout"), text(logs));
  assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b));

  const status = await client.callTool({ name: "auth_status", arguments: {} });
  assert.equal(status.structuredContent.signed_in, true);

  const wrong = await client.callTool({ name: "logs_search", arguments: { qery: "x" } });
  assert.ok(wrong.isError && text(wrong).includes("query"), text(wrong));

  await assert.rejects(client.callTool({ name: "log_search", arguments: {} }), (error) => {
    assert.equal(error.code, -32602);
    assert.match(error.message, /logs_search/);
    return true;
  });
  await client.close();
  console.log(`typescript ${mode}: ${expected}, ${tools.length} tools, all well`);
}

const patience = setTimeout(() => {
  console.error("took longer than two minutes");
  process.exit(1);
}, 120_000);
await era("legacy", "2025-11-25");
await era("auto", "2026-07-28");
clearTimeout(patience);
