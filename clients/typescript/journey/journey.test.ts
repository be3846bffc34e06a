import { exec } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, InvalidRequest, ProcessingFailed, verifyWebhook } from "@paliapi/client";
import type { FolderResult } from "@paliapi/client";
import { elsewhere } from "./servers.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SAMPLE = join(ROOT, "docs/sample/lighthouses.pdf");
const NAME = "typescript";
const { PALIAPI_FETCH_PORT, PALIAPI_WEBHOOK_PORT, PALIAPI_RESTART } = process.env;

const pali = new Client();
const inCollection = { collection_name: NAME };
let sample: Buffer;
let folder = "";

beforeAll(async () => {
  sample = await readFile(SAMPLE);
  folder = await mkdtemp(join(tmpdir(), "paliapi-"));
  await pali.collections.create(NAME, { metadata: { team: "coast" } });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await pali.collections.delete(NAME);
  await expect(pali.collections.get(NAME)).rejects.toMatchObject({ code: "collection_not_found" });
});

test("uploads by path, bytes, stream and URL, follows, and receives a verified message", async () => {
  const files = await elsewhere(Number(PALIAPI_FETCH_PORT), sample);
  const receiver = await elsewhere(Number(PALIAPI_WEBHOOK_PORT), sample);
  try {
    const webhook = await pali.webhooks.create(`${receiver.url}/hook`, { events: ["document.ready"] });
    const seen: string[] = [];
    const params = { ...inCollection, name: "by-path", metadata: { year: 2026 }, onProgress: (one: { status: string }) => seen.push(one.status) };
    const document = await pali.documents.upload(SAMPLE, { ...params, wait: true });
    expect([document.status, document.num_pages, seen.at(-1)]).toEqual(["ready", 3, "ready"]);
    await pali.documents.upload(sample, { ...inCollection, name: "by-bytes", metadata: { year: 2020 } });
    await pali.documents.upload(new Blob([new Uint8Array(sample)]).stream(), { ...inCollection, name: "by/stream" });
    await pali.documents.uploadUrl(`${files.url}/x.pdf`, { ...inCollection, name: "by-url" });
    for (const name of ["by-bytes", "by/stream", "by-url"]) expect(await pali.documents.wait(name, inCollection)).toHaveProperty("num_pages", 3);
    const events = [];
    for await (const { event, job } of pali.documents.events("by/stream", inCollection)) events.push([event, job.status]);
    expect(events).toEqual([["end", "ready"]]);
    const file = await pali.pages.download((await pali.documents.get("by/stream", inCollection)).url);
    expect(Buffer.from(await file.arrayBuffer()).equals(sample)).toBe(true);

    const { body, headers } = await receiver.message("by-path");
    const message = await verifyWebhook(body, headers, webhook.secret);
    expect(message).toMatchObject({ type: "document.ready", data: { document: { name: "by-path" }, pages: 3 } });
    await expect(verifyWebhook(Buffer.concat([body, Buffer.from(" ")]), headers, webhook.secret)).rejects.toThrow(/signature/);
    await pali.webhooks.delete(webhook.id);
  } finally {
    files.close();
    receiver.close();
  }
});

test("reports a document that cannot be processed", async () => {
  const upload = pali.documents.upload(Buffer.from("%PDF-1.4 nothing"), { ...inCollection, name: "bad", wait: true });
  await expect(upload).rejects.toMatchObject({ name: "ProcessingFailed", code: "file_damaged" });
  expect((await pali.jobs.list(inCollection).all()).map((job) => job.document_name)).toEqual(["bad"]);
  await pali.documents.delete("bad", inCollection);
});

test("searches by words, pages, crops, images and weighted parts", async () => {
  const recent = { key: "year", op: "gte", value: 2024 } as const;
  const query_filter = { and: [recent, { on: "collection", key: "team", op: "exists" } as const] };
  const params = { ...inCollection, query_filter, top_k: 3, images: "url", include: ["regions", "text", "receipt"] } as const;
  const { results, receipt } = await pali.search("How far is a light seen?", { ...params, include: [...params.include] });
  expect(new Set(results.map((hit) => hit.document_name))).toEqual(new Set(["by-path"]));
  const hit = results[0]!;
  expect([hit.regions?.boxes.length, hit.text?.length, receipt?.pages_in_scope].every((size) => Number(size) > 0)).toBe(true);
  const image = await pali.pages.imageOf(hit);
  expect(image.type).toMatch(/^image\//);
  expect((await pali.pages.download(hit.thumbnail_url!)).size).toBeLessThan(image.size);

  const page = { document_name: "by-path", page_number: 2, ...inCollection };
  const none = { ...inCollection, images: "none" } as const;
  expect((await pali.search({ page }, none)).results[0]).toMatchObject({ page_number: 2 });
  expect((await pali.search({ crop: { ...page, box: [0.05, 0.05, 0.95, 0.5] } }, none)).results).not.toEqual([]);
  const parts = [{ text: "lens" }, { page, weight: 0.5 }, { text: "granite", weight: -0.3 }];
  expect((await pali.search(parts, { ...none, group_by: "document", top_k: 10 })).results).toHaveLength(4);
  const found = await pali.searchImage(await pali.pages.image("by-path", 1, inCollection), { ...inCollection, top_k: 1 });
  expect((await pali.pages.imageOf(found.results[0]!)).size).toBeGreaterThan(1_000);
  const selected = (await pali.filter(recent).all()).filter((document) => document.collection_name === inCollection.collection_name);
  expect(selected.map((document) => document.name)).toEqual(["by-path"]);
  expect((await pali.pages.get("by-path", 1, inCollection)).text).not.toBe("");

  const refusal = await pali.search("light", { top_k: -1 }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(InvalidRequest);
  expect((refusal as InvalidRequest).errors[0]?.pointer).toBe("/top_k");
});

test("reads lists page by page", async () => {
  const names = [];
  for await (const document of pali.documents.list({ ...inCollection, limit: 1 })) names.push(document.name);
  expect(names.sort()).toEqual(["by-bytes", "by-path", "by-url", "by/stream"]);
});

test("creates and revokes a key that may only search a collection", async () => {
  const key = await pali.keys.create({ name: "reader", scopes: ["search"], collections: [NAME] });
  const reader = new Client({ apiKey: key.key });
  expect((await reader.search("light", inCollection)).results).not.toEqual([]);
  await expect(reader.documents.delete("by-path", inCollection)).rejects.toMatchObject({ name: "Forbidden" });
  await pali.keys.revoke(key.id);
  await expect(reader.me()).rejects.toMatchObject({ name: "Unauthorized" });
});

test("uploads a folder with one bad file while the web server restarts, and continues later", async () => {
  for (let number = 0; number < 59; number += 1) {
    await writeFile(join(folder, `${number}.txt`), `Report ${number}: the lamp was lit ${number} times.`);
  }
  await writeFile(join(folder, "bad.pdf"), "%PDF-1.4 nothing");
  const params = { collection_name: `${NAME}-folder`, wait: true };
  const uploaded: FolderResult[] = [];
  let restarted: Promise<unknown> | undefined;
  const filter = (file: { name: string }) => file.name !== "58.txt"; // missing, as if the first call had been interrupted
  const nameOf = (file: { name: string }) => {
    if (file.name === "30.txt") restarted = promisify(exec)(String(PALIAPI_RESTART), { cwd: ROOT });
    return file.name;
  };
  const first = await pali.documents.uploadFolder(folder, { ...params, filter, nameOf, onResult: (one) => uploaded.push(one) });
  await restarted;
  expect(first.failed).toMatchObject([{ name: "bad.pdf", error: expect.any(ProcessingFailed) }]);
  expect(uploaded.filter((one) => one.outcome === "ready")).toHaveLength(58);
  const again = await pali.documents.uploadFolder(folder, params);
  expect(again.results.filter((one) => one.outcome === "unchanged")).toHaveLength(58);
  expect(again.results.find((one) => one.name === "58.txt")).toMatchObject({ outcome: "ready" });
  expect(await pali.documents.list({ collection_name: params.collection_name }).all()).toHaveLength(60);
  await pali.collections.delete(params.collection_name);
});

test("deletes a document", async () => {
  await pali.documents.delete("by-bytes", inCollection);
  await expect(pali.documents.get("by-bytes", inCollection)).rejects.toMatchObject({ code: "document_not_found" });
});
