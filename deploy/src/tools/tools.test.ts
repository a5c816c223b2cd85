import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryDirectory } from "@pretrain/testing";
import { expectGo } from "./go.ts";
import { toolPath, whyNoTools } from "./index.ts";
import { modulesFolder, type Tool, type ToolName, tools } from "./tool-table.ts";

const names = Object.keys(tools) as ToolName[];

test("given a machine without Go, the command says what to install instead of failing in the middle", async (scope) => {
  const path = process.env["PATH"];
  process.env["PATH"] = temporaryDirectory(scope);
  scope.after(() => {
    process.env["PATH"] = path;
  });
  await assert.rejects(expectGo(), { reason: "GO_MISSING", message: /no `go` in PATH.*install Go 1\.26/ });
});

test("each program is made from a module of its own go.sum, at exact versions, with no other way to it", async () => {
  for (const name of names) {
    const tool: Tool = tools[name];
    if (tool.kind === "wheel") continue;
    const module = await readFile(join(modulesFolder, tool.module, "go.mod"), "utf8");
    const required = [...module.matchAll(/^\s*(?:require )?(\S+) v\d+\.\d+\.\d+\S*$/gm)].map(([, path = ""]) => path);
    assert.ok(
      required.some((path) => tool.package === path || tool.package.startsWith(`${path}/`)),
      `${name}: ${tool.package} is in no module that ${tool.module}/go.mod requires`,
    );
  }
});

test("a tool is there, or the reason why not names the command that makes it", () => {
  for (const name of names) {
    const reason = whyNoTools(name);
    if (reason === false) assert.ok(existsSync(toolPath(name)));
    else assert.throws(() => toolPath(name), { reason: "TOOL_MISSING", message: reason });
    assert.match(reason || `main.ts ${name}`, new RegExp(`main.ts ${name}`));
  }
});

test("given a name that is no tool, the command lists those that are and builds nothing", async () => {
  const program = fileURLToPath(new URL("main.ts", import.meta.url));
  const run = promisify(execFile)(process.execPath, [program, "kustomise"]);
  await assert.rejects(run, {
    code: 1,
    stdout: "",
    stderr: /kustomise.*is no tool; there are definitions, kustomize, /,
  });
});
