import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "@paliapi/client";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CLIENT = process.env.PALIAPI_CLIENT ?? fileURLToPath(new URL("../dist/esm/index.js", import.meta.url));
const SAMPLE = join(ROOT, "docs/sample/lighthouses.pdf");
const SECRET = `whsec_${Buffer.from("a secret of 24 bytes....").toString("base64")}`;
let folder = "";

/** A folder with what the examples name: the client, a document, and a folder of contracts. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "paliapi-"));
  const installed = join(folder, "node_modules/@paliapi/client");
  await mkdir(installed, { recursive: true });
  await writeFile(join(installed, "package.json"), '{"type": "module", "exports": "./index.js"}');
  await writeFile(join(installed, "index.js"), `export * from ${JSON.stringify(CLIENT)};\n`);
  await mkdir(join(folder, "contracts"));
  await writeFile(join(folder, "contracts/lease.txt"), "The harbour is leased.");
  await copyFile(SAMPLE, join(folder, "lighthouses.pdf"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  const pali = new Client();
  for (const name of ["reports", "contracts"]) await pali.collections.delete(name);
});

test.each(["clients/typescript/README.md", "docs/clients.md"])("runs the examples of %s", async (page) => {
  const text = await readFile(join(ROOT, page), "utf8");
  const blocks = Array.from(text.matchAll(/^```typescript\n(.*?)^```/gms), (match) => String(match[1]));
  expect(blocks.length).toBeGreaterThan(0);
  for (const [index, block] of blocks.entries()) {
    const { code } = await transform(prelude(block) + block, { loader: "ts", format: "esm", target: "es2022" });
    const file = join(folder, `example-${index}.mjs`);
    await writeFile(file, code);
    const environment = { ...process.env, WEBHOOK_SECRET: SECRET };
    await promisify(execFile)(process.execPath, [file], { cwd: folder, env: environment });
  }
});

/** Return what an example takes for granted: a client, and the request of a webhook. */
function prelude(block: string): string {
  const lines = [];
  if (!/\bconst pali\b/.test(block)) {
    if (!/import \{[^}]*\bClient\b/.test(block)) lines.push('import { Client } from "@paliapi/client";');
    lines.push("const pali = new Client();");
  }
  if (/\brequest\b/.test(block)) {
    const timestamp = Math.floor(Date.now() / 1000);
    const body = '{"type": "webhook.test"}';
    const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
    const signature = createHmac("sha256", key).update(`msg_1.${timestamp}.${body}`).digest("base64");
    const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${signature}` };
    lines.push(`const request = new Request("http://localhost/", ${JSON.stringify({ method: "POST", headers, body })});`);
  }
  return `${lines.join("\n")}\n`;
}
