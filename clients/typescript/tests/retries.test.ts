import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Client } from "../src/index.js";
import { KEY, hurry, problem, serve } from "./server.js";
import type { Reply } from "./server.js";

const broken: Reply = (response) => response.socket?.destroy();
const silent: Reply = () => undefined;

test("repeats what may pass, with the same Idempotency-Key, at least as late as the server asks", async () => {
  const asked = hurry();
  const server = await serve([problem(503, "overloaded", { "retry-after": "3" }), broken, problem(429, "rate_limited"), { status: 201, json: { id: 1 } }]);
  expect(await server.client().collections.create("reports")).toMatchObject({ id: 1 });
  expect(new Set(server.received.map((request) => request.headers["idempotency-key"])).size).toBe(1);
  expect(server.received[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/);
  expect(asked.some((ms) => ms >= 3_000 && ms <= 4_000)).toBe(true);
});

test("sends the key of the caller for idempotency", async () => {
  const server = await serve([{ status: 201, json: {} }]);
  await server.client().collections.create("reports", {}, { idempotencyKey: "import-1" });
  expect(server.received[0]?.headers["idempotency-key"]).toBe("import-1");
});

test("stops after maxRetries with the last error", async () => {
  hurry();
  const server = await serve([problem(503, "overloaded")]);
  await expect(server.client().me({ maxRetries: 2 })).rejects.toMatchObject({ name: "ServiceUnavailable", code: "overloaded" });
  expect(server.received).toHaveLength(3);
});

test.each([
  [problem(500, "internal_error"), "ServerError"],
  [problem(422, "invalid"), "InvalidRequest"],
  [problem(429, "quota_exceeded"), "QuotaExceeded"],
  [problem(503, "search_took_too_long"), "ServiceUnavailable"],
  [problem(503, "overloaded", { "retry-after": "86400" }), "ServiceUnavailable"],
])("does not repeat what waiting does not change: %#", async (reply, name) => {
  const server = await serve([reply]);
  await expect(server.client().search("light")).rejects.toMatchObject({ name });
  expect(server.received).toHaveLength(1);
});

test("does not repeat a request that may have taken effect, unless nothing was sent", async () => {
  const asked = hurry();
  const server = await serve([broken]);
  await expect(server.client().keys.create({ scopes: ["read"] })).rejects.toMatchObject({ name: "ConnectionFailed" });
  expect(server.received).toHaveLength(1);

  const before = asked.length;
  const client = new Client({ baseUrl: await unusedAddress(), apiKey: KEY, maxRetries: 1 });
  await expect(client.keys.create({ scopes: ["read"] })).rejects.toMatchObject({ name: "ConnectionFailed" });
  expect(asked.slice(before).filter((ms) => ms < 1_000)).toHaveLength(1);
});

test("takes a deletion as done whose answer was lost", async () => {
  hurry();
  const lost = await serve([broken, problem(404, "document_not_found")]);
  await lost.client().documents.delete("a");
  expect(lost.received).toHaveLength(2);
  const missing = await serve([problem(404, "document_not_found")]);
  await expect(missing.client().documents.delete("a")).rejects.toMatchObject({ name: "NotFound" });
});

test("repeats a request without an answer after timeoutMs", async () => {
  hurry();
  const server = await serve([silent, { json: { email: "a@b" } }]);
  expect(await server.client({ timeoutMs: 2_500 }).me()).toEqual({ email: "a@b" });
});

test("ends at the deadline, with the last failure as the cause", async () => {
  const server = await serve([problem(503, "overloaded", { "retry-after": "30" })]);
  const error = await server.client({ deadlineMs: 5_000 }).me().catch((one: unknown) => one);
  expect(error).toMatchObject({ name: "DeadlineExceeded", cause: { code: "overloaded" } });
  const quiet = await serve([silent]);
  await expect(quiet.client().me({ deadlineMs: 30 })).rejects.toMatchObject({ name: "DeadlineExceeded" });
});

test("aborts with the reason of the signal, before, during and between attempts", async () => {
  const server = await serve([silent]);
  await expect(server.client().me({ signal: AbortSignal.abort("too late") })).rejects.toBe("too late");
  expect(server.received).toEqual([]);

  const controller = new AbortController();
  const call = server.client().me({ signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await expect(call).rejects.toThrow("enough");

  const waiting = await serve([problem(503, "overloaded", { "retry-after": "60" })]);
  const other = new AbortController();
  setTimeout(() => other.abort(new Error("enough")), 50);
  await expect(waiting.client().me({ signal: other.signal })).rejects.toThrow("enough");
});

async function unusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
