import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEY, serve } from "./server.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
let project = "";

/** An empty project with the package, as `npm pack` makes it, installed. */
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "paliapi-"));
  project = join(folder, "project");
  await mkdir(project);
  await run("npm", ["pack", "--pack-destination", folder], { cwd: ROOT });
  const packed = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  await writeFile(join(project, "package.json"), "{}");
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, String(packed))], { cwd: project });
}, 120_000);
afterAll(() => rm(join(project, ".."), { recursive: true }));

const USE = `
  const client = new Client();
  const accepted = await client.documents.upload(process.argv[1], { collection_name: "reports" });
  const error = await client.collections.get("missing").catch((one) => one);
  console.log(JSON.stringify([accepted.id, error instanceof NotFound, error.code]));`;

test.each([
  ["ES modules", ["--input-type=module", "-e", `import { Client, NotFound } from "@paliapi/client"; ${USE}`]],
  ["CommonJS", ["--input-type=commonjs", "-e", `const { Client, NotFound } = require("@paliapi/client"); (async () => { ${USE} })();`]],
])("is used from %s, without warnings", async (_, flags) => {
  const server = await serve([
    { status: 202, json: { id: 42 } },
    { status: 404, json: { code: "collection_not_found", detail: "Collection not found." } },
  ]);
  const env = { ...process.env, PALIAPI_URL: server.url, PALIAPI_API_KEY: KEY };
  const { stdout, stderr } = await run("node", [...flags, "--", join(project, "package.json")], { cwd: project, env });
  expect([JSON.parse(stdout), stderr]).toEqual([[42, true, "collection_not_found"], ""]);
  expect((await server.received[0]?.form())?.get("name")).toBe("package.json");
});

test("installs nothing else", async () => {
  expect(await readdir(join(project, "node_modules"))).toEqual([".package-lock.json", "@paliapi"]);
});

test("has types for both kinds of modules", async () => {
  const lines = 'import { Client } from "@paliapi/client";\nexport const ids: Promise<number> = new Client().documents.upload("a").then((one) => one.id);\n';
  for (const name of ["a.mts", "b.cts"]) await writeFile(join(project, name), lines);
  const flags = ["--noEmit", "--strict", "--target", "es2022", "--module", "node16", "a.mts", "b.cts"];
  await run("node", [join(ROOT, "node_modules/typescript/bin/tsc"), ...flags], { cwd: project });
});

test("runs where there is no Node, bundled for browsers", async () => {
  const contents = 'import { Client } from "@paliapi/client"; globalThis.Client = Client;';
  const bundle = await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2022",
    logLevel: "silent",
  });
  expect([bundle.errors, bundle.warnings]).toEqual([[], []]);
  const names = ["fetch", "URL", "URLSearchParams", "Blob", "FormData", "TextDecoder", "TextEncoder", "ReadableStream", "Response"];
  const page = [...names, "AbortController", "Headers", "crypto", "atob", "btoa", "setTimeout", "clearTimeout"] as const;
  const context = createContext(Object.fromEntries(page.map((name) => [name, (globalThis as Record<string, unknown>)[name]])));
  runInContext(bundle.outputFiles[0]?.text ?? "", context);
  const server = await serve([{ status: 202, json: { id: 42 } }]);
  const options = JSON.stringify({ baseUrl: server.url, apiKey: KEY });
  const script = `const client = new Client(${options}); client.documents.upload(new Blob(["x"]), { name: "a" })`;
  expect(await runInContext(script, context)).toEqual({ id: 42 });
  const upload = runInContext('client.documents.upload("/etc/hostname")', context) as Promise<unknown>;
  await expect(upload).rejects.toMatchObject({ message: expect.stringMatching(/has no files/) });
});
