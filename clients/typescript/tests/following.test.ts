import { expect, test } from "vitest";
import { hurry, problem, serve } from "./server.js";
import type { Received, Reply } from "./server.js";

const ACCEPTED = { status: 202, json: { id: 42, name: "a.pdf", status: "queued" } };
const READY = { json: { id: 42, name: "a.pdf", status: "ready", num_pages: 3 } };

const event = (id: string, kind: string, job: object) => `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(job)}\n\n`;
const stream = (...events: string[]): Reply => ({ headers: { "content-type": "text/event-stream" }, body: events.join("") });

/** Answer uploads, and the requests for events and for the document one after the other. */
function states(events: Reply[], documents: Reply[]): (request: Received) => Reply {
  return (request) => {
    if (request.method === "POST") return ACCEPTED;
    const replies = request.path.endsWith("/events/") ? events : documents;
    return (replies.length > 1 ? replies.shift() : replies[0]) as Reply;
  };
}

test("waits by events, and returns the document when it is ready", async () => {
  const body = [
    "retry: 2000\n\n: still here\r\n\r\n",
    event("7-1", "progress", { status: "embedding", pages_done: 8, pages_total: 12 }),
    event("7-2", "end", { status: "ready", pages_done: 12 }),
  ];
  const server = await serve(states([stream(...body)], [READY]));
  const seen: unknown[] = [];
  const params = { name: "a.pdf", collection_name: "reports", wait: true as const };
  const document = await server.client().documents.upload(new Blob(["x"]), { ...params, onProgress: (one) => seen.push([one.status, one.pages_done]) });
  expect(document.num_pages).toBe(3);
  expect(seen).toEqual([["embedding", 8], ["ready", 12]]);
  expect(server.received.map((request) => request.query.get("collection_name"))).toEqual([null, "reports", "reports"]);
});

test("connects again after a stream has ended early, from the last event", async () => {
  hurry();
  const cut: Reply = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event("7-1", "progress", { status: "rendering" }) + "id: 7-2\nevent: en", () => response.socket?.destroy());
  };
  const ended = stream(event("7-3", "progress", { status: "embedding" }));
  const server = await serve(states([cut, ended, stream(event("7-4", "end", { status: "ready" }))], [READY]));
  const seen = [];
  for await (const one of server.client().documents.events("a.pdf")) seen.push(one.id);
  expect(seen).toEqual(["7-1", "7-3", "7-4"]);
  expect(server.received.map((request) => request.headers["last-event-id"])).toEqual([undefined, "7-1", "7-3"]);
});

test("ends without an event if the end was seen before", async () => {
  const server = await serve([{ status: 204 }]);
  const events = server.client().documents.events("a.pdf", { lastEventId: "7-4" });
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test("closes the stream of a reader who leaves", async () => {
  let closed: Promise<unknown> = Promise.reject(new Error("nothing was open"));
  closed.catch(() => undefined);
  const server = await serve([
    (response) => {
      closed = new Promise((resolve) => response.on("close", resolve));
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event("7-1", "progress", { status: "rendering" }));
    },
  ]);
  for await (const one of server.client().documents.events("a.pdf")) {
    expect(one.job.status).toBe("rendering");
    break;
  }
  await closed;
});

test.each<[string, Reply]>([
  ["busy", problem(503, "streams_busy")],
  ["taken", problem(429, "too_many_at_once")],
  ["broken", stream("id: 1\nevent: progress\ndata: nonsense\n\n")],
  ["missing", problem(502, "http_502")],
])("polls where streams are %s", async (_, reply) => {
  hurry();
  const working = { json: { name: "a.pdf", status: "embedding", pages_done: 1 } };
  const server = await serve(states([reply], [working, problem(503, "overloaded"), READY]));
  const seen: string[] = [];
  expect(await server.client().documents.wait("a.pdf", { onProgress: (one) => seen.push(one.status) })).toMatchObject({ status: "ready" });
  expect(seen).toEqual(["embedding"]);
});

test.each([
  ["failed", { code: "file_damaged", detail: "The file is damaged.", page: 3 }, "file_damaged"],
  ["cancelled", null, "cancelled"],
  ["superseded", null, "superseded"],
  ["deleted", undefined, "deleted"],
])("throws ProcessingFailed for a document that is %s", async (status, error, code) => {
  const server = await serve(states([stream(event("7-1", "end", { status, error }))], []));
  const upload = server.client().documents.upload(new Blob(["x"]), { name: "a.pdf", wait: true });
  await expect(upload).rejects.toMatchObject({ name: "ProcessingFailed", documentName: "a.pdf", status, code, page: error?.page });
});

test("ends waiting at the deadline and by the signal", async () => {
  const open: Reply = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event("7-1", "progress", { status: "queued" }));
  };
  const server = await serve(states([open], [READY]));
  await expect(server.client().documents.wait("a.pdf", {}, { deadlineMs: 60 })).rejects.toMatchObject({ name: "DeadlineExceeded" });
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await expect(server.client().documents.wait("a.pdf", { onProgress }, { signal: controller.signal })).rejects.toThrow("enough");
});

test("refuses an endless event", async () => {
  const server = await serve([stream(`data: ${"x".repeat(2_000_000)}`)]);
  await expect(server.client().documents.events("a.pdf").next()).rejects.toMatchObject({ name: "InvalidResponse" });
});
