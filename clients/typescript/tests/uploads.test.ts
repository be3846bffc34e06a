import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Source } from "../src/index.js";
import { hurry, problem, serve } from "./server.js";
import type { Received } from "./server.js";

const ACCEPTED = { status: 202, json: { id: 42, name: "a.pdf", status: "queued" } };
const BYTES = new Uint8Array([37, 80, 68, 70, 0, 255]);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "paliapi-"));
  await writeFile(join(folder, "ä 1.pdf"), BYTES);
});
afterAll(() => rm(folder, { recursive: true }));

async function* pieces() {
  yield BYTES.slice(0, 2);
  yield BYTES.slice(2);
}

test.each<[string, () => Source, string | undefined]>([
  ["a path", () => join(folder, "ä 1.pdf"), undefined],
  ["a file: URL", () => pathToFileURL(join(folder, "ä 1.pdf")), undefined],
  ["a File", () => new File([BYTES], "ä 1.pdf"), undefined],
  ["a Blob", () => new Blob([BYTES]), "ä 1.pdf"],
  ["a Uint8Array", () => BYTES, "ä 1.pdf"],
  ["a part of a Buffer", () => Buffer.concat([Buffer.from("xx"), BYTES, Buffer.from("yy")]).subarray(2, 8), "ä 1.pdf"],
  ["an ArrayBuffer", () => BYTES.slice().buffer, "ä 1.pdf"],
  ["a ReadableStream", () => new Blob([BYTES]).stream(), "ä 1.pdf"],
  ["an async iterable", pieces, "ä 1.pdf"],
])("uploads %s", async (_, source, name) => {
  const server = await serve([ACCEPTED]);
  const params = { collection_name: "reports", metadata: { year: 2026 }, on_page_error: "skip" as const };
  const accepted = await server.client().documents.upload(source(), name ? { ...params, name } : params);
  expect(accepted).toMatchObject({ id: 42, status: "queued" });
  const request = server.received[0] as Received;
  expect(request.headers["content-length"]).toBe(String(request.body.length));
  const form = await request.form();
  expect([form.get("name"), form.get("collection_name"), form.get("on_page_error")]).toEqual(["ä 1.pdf", "reports", "skip"]);
  expect(JSON.parse(String(form.get("metadata")))).toEqual({ year: 2026 });
  expect(new Uint8Array(await (form.get("file") as File).arrayBuffer())).toEqual(BYTES);
  expect((form.get("file") as File).name).toBe("ä 1.pdf");
});

test("sends an upload again whole, from a stream too", async () => {
  hurry();
  const server = await serve([problem(503, "overloaded"), ACCEPTED]);
  await server.client().documents.upload(new Blob([BYTES]).stream(), { name: "a.pdf" });
  const files = await Promise.all(server.received.map(async (request) => (await request.form()).get("file") as File));
  expect(await Promise.all(files.map((file) => file.arrayBuffer()))).toEqual([BYTES.buffer, BYTES.buffer]);
  expect(server.received[0]?.headers["idempotency-key"]).toBe(server.received[1]?.headers["idempotency-key"]);
});

test("lets the server fetch a URL, named by the end of its path", async () => {
  const server = await serve([ACCEPTED]);
  await server.client().documents.uploadUrl("https://example.com/files/annual%20report.pdf?v=2", { metadata: { a: 1 } });
  expect(server.received[0]?.json()).toEqual({
    name: "annual report.pdf",
    url: "https://example.com/files/annual%20report.pdf?v=2",
    metadata: { a: 1 },
  });
});

test("refuses sources that cannot be meant, before it sends anything", async () => {
  const server = await serve([ACCEPTED]);
  const { documents } = server.client();
  await expect(documents.upload("https://example.com/a.pdf")).rejects.toThrow(/uploadUrl/);
  await expect(documents.upload(new URL("https://example.com/a.pdf"))).rejects.toThrow(/uploadUrl/);
  await expect(documents.upload(BYTES)).rejects.toThrow(/name/);
  await expect(documents.uploadUrl("https://example.com/")).rejects.toThrow(/name/);
  await expect(documents.upload(folder)).rejects.toThrow(/Not a file/);
  await expect(documents.upload(join(folder, "missing.pdf"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(documents.upload(7 as unknown as Source)).rejects.toThrow(TypeError);
  expect(server.received).toEqual([]);
});

test("uploads several files, or an archive, in one request", async () => {
  const server = await serve([{ status: 202, json: { accepted: 2, refused: 0, documents: [] } }]);
  const { documents } = server.client();
  await documents.uploadMany([{ source: join(folder, "ä 1.pdf") }, { source: BYTES, name: "b.pdf" }], { collection_name: "many" });
  await documents.uploadArchive(BYTES);
  const many = await (server.received[0] as Received).form();
  expect((many.getAll("files") as File[]).map((file) => file.name)).toEqual(["ä 1.pdf", "b.pdf"]);
  expect(many.get("collection_name")).toBe("many");
  expect((await (server.received[1] as Received).form()).has("archive")).toBe(true);
});
