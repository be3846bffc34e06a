import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hurry, problem, serve } from "./server.js";
import type { Received, Reply } from "./server.js";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "paliapi-"));
  await mkdir(join(folder, "sub", ".git"), { recursive: true });
  for (const name of ["a.txt", "b.txt", "sub/c.txt", ".hidden", "sub/.git/d.txt"]) await writeFile(join(folder, name), `text of ${name}`);
  await symlink("/etc/hostname", join(folder, "link"));
});
afterAll(() => rm(folder, { recursive: true }));

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

interface Stand {
  documents?: object[];
  upload?: (name: string, count: number) => Reply;
  jobs?: object[][];
  final?: (name: string) => Reply;
}

/** A server that answers as PaliAPI does for the upload of a folder. */
async function standIn(stand: Stand) {
  const uploads: string[] = [];
  const server = await serve(async (request: Received) => {
    if (request.method === "POST") {
      const name = String((await request.form()).get("name"));
      uploads.push(name);
      return stand.upload?.(name, uploads.length) ?? { status: 202, json: { name } };
    }
    if (request.path === "/v1/jobs/") return { json: stand.jobs?.shift() ?? [] };
    if (request.path === "/v1/documents/") return { json: stand.documents ?? [] };
    const name = decodeURIComponent(request.path.slice("/v1/documents/".length, -1));
    return stand.final?.(name) ?? { json: { name, status: "ready" } };
  });
  return { server, uploads };
}

const outcomes = (report: { results: { name: string; outcome: string }[] }) =>
  report.results.map((one) => `${one.name} ${one.outcome}`).sort();

test("uploads the files below a folder, without hidden ones and links", async () => {
  const { server } = await standIn({});
  const seen: string[] = [];
  const metadata = (file: { size: number }) => ({ size: file.size });
  const report = await server.client().documents.uploadFolder(folder, { metadata, onResult: (one) => seen.push(one.name) });
  expect(outcomes(report)).toEqual(["a.txt uploaded", "b.txt uploaded", "sub/c.txt uploaded"]);
  expect(seen.sort()).toEqual(["a.txt", "b.txt", "sub/c.txt"]);
  const form = await (server.received.find((one) => one.method === "POST") as Received).form();
  expect(JSON.parse(String(form.get("metadata")))).toEqual({ size: "text of a.txt".length });
});

test("skips unchanged files, so that an interrupted upload continues", async () => {
  const documents = [
    { name: "a.txt", sha256: sha256("text of a.txt"), status: "ready" },
    { name: "b.txt", sha256: sha256("something else"), status: "ready" },
    { name: "sub/c.txt", sha256: sha256("text of sub/c.txt"), status: "failed" },
  ];
  const { server, uploads } = await standIn({ documents });
  const report = await server.client().documents.uploadFolder(folder);
  expect(outcomes(report)).toEqual(["a.txt unchanged", "b.txt uploaded", "sub/c.txt uploaded"]);
  expect(uploads.sort()).toEqual(["b.txt", "sub/c.txt"]);
  expect(await server.client().documents.uploadFolder(folder, { skipUnchanged: false }).then(outcomes)).toContain("a.txt uploaded");
});

test("passes no 429 to its caller, however many there are", async () => {
  const asked = hurry();
  const upload = (_: string, count: number) => (count <= 12 ? problem(429, "rate_limited", { "retry-after": "2" }) : { status: 202, json: {} });
  const { server, uploads } = await standIn({ upload });
  const report = await server.client({ maxRetries: 0 }).documents.uploadFolder(folder, { parallel: 2 });
  expect(report.failed).toEqual([]);
  expect(uploads).toHaveLength(15);
  expect(asked.filter((ms) => ms > 1_000 && ms <= 3_000).length).toBeGreaterThan(3);
  const keys = new Set(server.received.filter((one) => one.method === "POST").map((one) => one.headers["idempotency-key"]));
  expect(keys.size).toBe(3);
});

test("slows down before its budget is empty", async () => {
  const asked = hurry();
  const headers = { ratelimit: '"key";r=1;t=60, "owner";r=500;t=60' };
  const { server } = await standIn({ upload: () => ({ status: 202, json: {}, headers }) });
  await server.client().documents.uploadFolder(folder, { parallel: 1 });
  expect(asked.filter((ms) => ms > 500 && ms <= 1_000)).not.toEqual([]);
});

test("reports a bad file, and uploads the others", async () => {
  const upload = (name: string) => (name === "b.txt" ? problem(422, "file_damaged") : { status: 202, json: {} });
  const { server } = await standIn({ upload });
  const report = await server.client().documents.uploadFolder(folder);
  expect(report.failed).toMatchObject([{ name: "b.txt", error: { code: "file_damaged" } }]);
  expect(report.results).toHaveLength(3);
});

test.each([
  [problem(401, "unauthenticated"), "Unauthorized"],
  [problem(429, "quota_exceeded"), "QuotaExceeded"],
])("stops where every file would fail: %#", async (reply, name) => {
  const { server, uploads } = await standIn({ upload: () => reply });
  await expect(server.client().documents.uploadFolder(folder, { parallel: 1 })).rejects.toMatchObject({ name });
  expect(uploads).toHaveLength(1);
});

test("waits for all documents with one list of jobs at a time", async () => {
  hurry();
  const jobs = [
    [{ document_name: "a.txt", status: "queued" }, { document_name: "b.txt", status: "embedding" }, { document_name: "sub/c.txt", status: "queued" }],
    [{ document_name: "b.txt", status: "failed" }, { document_name: "sub/c.txt", status: "queued" }],
    [{ document_name: "b.txt", status: "failed" }],
  ];
  const final = (name: string): Reply => {
    if (name === "sub/c.txt") return problem(404, "document_not_found");
    const failed = { status: "failed", error: { code: "file_damaged", detail: "The file is damaged." } };
    return { json: name === "b.txt" ? failed : { name, status: "ready" } };
  };
  const { server } = await standIn({ jobs, final });
  const report = await server.client().documents.uploadFolder(folder, { wait: true });
  expect(outcomes(report)).toEqual(["a.txt ready", "b.txt failed", "sub/c.txt failed"]);
  expect(report.failed.map((one) => (one.error as { code?: string }).code).sort()).toEqual(["deleted", "file_damaged"]);
});

test("ends at the deadline, and for a folder that does not exist", async () => {
  const { server } = await standIn({ upload: () => problem(429, "queue_full", { "retry-after": "60" }) });
  const { documents } = server.client();
  await expect(documents.uploadFolder(folder, {}, { deadlineMs: 1_000 })).rejects.toMatchObject({ name: "DeadlineExceeded" });
  await expect(documents.uploadFolder(join(folder, "missing"))).rejects.toMatchObject({ code: "ENOENT" });
});
