import { expect, test } from "vitest";
import { APIError, InvalidRequest, PaliAPIError } from "../src/index.js";
import { KEY, problem, serve } from "./server.js";
import type { Reply } from "./server.js";

test.each([
  [400, "unparsable", "BadRequest"],
  [401, "unauthenticated", "Unauthorized"],
  [403, "scope_missing", "Forbidden"],
  [404, "collection_not_found", "NotFound"],
  [409, "collection_name_taken", "Conflict"],
  [413, "too_large", "TooLarge"],
  [418, "teapot", "APIError"],
  [429, "rate_limited", "RateLimited"],
  [500, "internal_error", "ServerError"],
])("throws %i %s as %s", async (status, code, name) => {
  const server = await serve([problem(status, code)]);
  const error = await server.client({ maxRetries: 0 }).me().catch((one: unknown) => one);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ name, status, code, detail: `Because of ${code}.`, requestId: "r-1" });
});

test("says what is invalid, and where", async () => {
  const errors = [{ pointer: "/name", code: "blank", detail: "This field may not be blank." }];
  const server = await serve([{ status: 422, json: { code: "invalid", detail: "The request is invalid.", errors, request_id: "r-2" } }]);
  const error = await server.client().collections.create("").catch((one: unknown) => one);
  expect(error).toBeInstanceOf(InvalidRequest);
  expect(error).toMatchObject({ errors, message: "The request is invalid. /name: This field may not be blank. (422 invalid, request r-2)" });
});

test.each<[string, Reply]>([
  ["HTML", { body: "<html>Welcome</html>", headers: { "content-type": "text/html" } }],
  ["a text", { json: "hello" }],
  ["null", { json: null }],
  ["half of an object", { body: '{"email": "a@' }],
  ["bytes", { body: Buffer.from([0xff, 0xfe, 0x00]) }],
])("refuses %s as an answer", async (_, reply) => {
  const server = await serve([reply]);
  await expect(server.client().me()).rejects.toMatchObject({ name: "InvalidResponse" });
});

test.each<[string, Reply]>([
  ["a page of a proxy", { status: 418, body: "<h1>Bad gateway</h1>", headers: { "content-type": "text/html" } }],
  ["wrong types", { status: 418, json: { code: 7, detail: [], errors: "none", request_id: {} } }],
  ["a list", { status: 418, json: [] }],
  ["nothing", { status: 418, body: "" }],
])("reports an error that is %s by its status", async (_, reply) => {
  const server = await serve([reply]);
  await expect(server.client().me()).rejects.toMatchObject({ code: "http_418", errors: [], requestId: undefined });
});

test("refuses a list that is none, and pages that lead in a circle", async () => {
  const server = await serve([{ json: { results: [] } }]);
  await expect(server.client().collections.list().all()).rejects.toMatchObject({ name: "InvalidResponse" });
  const circle = await serve([{ json: [{ id: 1 }], headers: { link: '</v1/collections/?cursor=a>; rel="next"' } }]);
  await expect(circle.client().collections.list().all()).rejects.toMatchObject({ name: "InvalidResponse" });
  expect(circle.received).toHaveLength(2);
});

test("refuses an answer that is too large, announced or not", async () => {
  const body = JSON.stringify({ email: "a".repeat(5_000) });
  const announced = await serve([{ body, headers: { "content-length": String(body.length) } }]);
  await expect(announced.client({ maxResponseBytes: 1_000 }).me()).rejects.toMatchObject({ name: "InvalidResponse" });
  const chunked = await serve([
    (response) => {
      response.writeHead(200);
      response.write(body);
      response.end(body);
    },
  ]);
  await expect(chunked.client({ maxResponseBytes: 1_000 }).me()).rejects.toMatchObject({ name: "InvalidResponse" });
});

test("reports an answer that breaks off as a failed connection", async () => {
  const server = await serve([
    (response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"email":', () => response.socket?.destroy());
    },
  ]);
  await expect(server.client({ maxRetries: 0 }).me()).rejects.toMatchObject({ name: "ConnectionFailed" });
});

test("follows no redirect, so that the key reaches no other server", async () => {
  const other = await serve([{ json: {} }]);
  const server = await serve([{ status: 307, headers: { location: `${other.url}/v1/me/` } }]);
  const error = await server.client().me().catch((one: unknown) => one);
  expect(error).toBeInstanceOf(PaliAPIError);
  expect((error as Error).message).toContain(other.url);
  expect(other.received).toEqual([]);
});

test("takes the position of the next page from a link, never its address", async () => {
  const other = await serve([{ json: [] }]);
  const link = `<${other.url}/v1/collections/?cursor=a%2Bb&limit=1>; rel="next"`;
  const server = await serve([{ json: [{ name: "a" }], headers: { link } }, { json: [{ name: "b" }] }]);
  const rows = await server.client().collections.list({ limit: 1 }).all();
  expect(rows.map((row) => row.name)).toEqual(["a", "b"]);
  expect(server.received[1]?.query.get("cursor")).toBe("a+b");
  expect(server.received[1]?.query.get("limit")).toBe("1");
  expect(other.received).toEqual([]);
});

test("requests only the pages of a list that are read", async () => {
  const server = await serve([{ json: [{ name: "a" }, { name: "b" }], headers: { link: '</v1/collections/?cursor=x>; rel="next"' } }]);
  expect(await server.client().collections.list().all(2)).toHaveLength(2);
  expect(server.received).toHaveLength(1);
});

test("looks for the image of a hit on the server where its link leads nowhere", async () => {
  const gone = problem(404, "file_link_invalid");
  const server = await serve((request) => (request.path.startsWith("/v1/files/") ? gone : { body: "image" }));
  const hit = { document_name: "a", page_number: 3, collection_name: "c", img_base64: "", image_url: "/v1/files/pages/x" };
  expect(await (await server.client().pages.imageOf(hit as never)).text()).toBe("image");
  const searching = await serve((request) => (request.path.startsWith("/v1/files/") ? gone : problem(403, "scope_missing")));
  await expect(searching.client().pages.imageOf(hit as never)).rejects.toMatchObject({ code: "file_link_invalid" });
});

test("gets signed links without the key, even from the server itself", async () => {
  const server = await serve([{ body: "image", headers: { "content-type": "image/png" } }]);
  const client = server.client();
  const hit = { document_name: "a", page_number: 3, collection_name: "c", img_base64: "", image_url: `${server.url}/v1/files/pages/x` };
  const image = await client.pages.imageOf(hit as never);
  expect([image.type, await image.text()]).toEqual(["image/png", "image"]);
  expect(server.received[0]?.headers.authorization).toBeUndefined();

  expect(await (await client.pages.imageOf({ ...hit, img_base64: "/9g=" } as never)).arrayBuffer()).toHaveProperty("byteLength", 2);
  await client.pages.imageOf({ ...hit, image_url: null } as never);
  expect(server.received[1]?.path).toBe("/v1/documents/a/pages/3/image");
  expect(server.received[1]?.headers.authorization).toBe(`Bearer ${KEY}`);
  await expect(client.pages.download("file:///etc/passwd")).rejects.toThrow(TypeError);
});
