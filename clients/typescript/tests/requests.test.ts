import { expect, test } from "vitest";
import { Client, responseOf } from "../src/index.js";
import { KEY, problem, serve } from "./server.js";

test("puts names into one segment of the path, whatever they contain", async () => {
  const server = await serve([{ json: {} }]);
  await server.client().documents.get("a/b c?#%.pdf", { collection_name: "ü & more" });
  expect(server.received[0]?.path).toBe("/v1/documents/a%2Fb%20c%3F%23%25.pdf/");
  expect(server.received[0]?.query.get("collection_name")).toBe("ü & more");
});

test.each(["", ".", ".."])("refuses the name %j, which would change the path", async (name) => {
  const server = await serve([{ json: {} }]);
  await expect(server.client().documents.get(name)).rejects.toThrow(TypeError);
  expect(server.received).toEqual([]);
});

test.each(["http://localhost:8001", "http://localhost:8001/", "http://localhost:8001/v1", "http://localhost:8001/v1/"])(
  "accepts %s as the address",
  (baseUrl) => {
    expect(new Client({ baseUrl, apiKey: KEY }).baseUrl).toBe("http://localhost:8001");
  },
);

test.each(["localhost:8001", "ftp://server", "https://user:secret@server", "https://server/?a=1"])("refuses the address %s", (baseUrl) => {
  expect(() => new Client({ baseUrl, apiKey: KEY })).toThrow(TypeError);
});

test("refuses a key that no header can carry, without repeating it", () => {
  const apiKey = "pali_secret\r\nX-Evil: 1";
  expect(() => new Client({ apiKey })).toThrow(expect.not.stringContaining("secret") as unknown as Error);
});

test("takes address and key from the environment", async () => {
  const server = await serve([{ json: {} }]);
  process.env.PALIAPI_URL = server.url;
  process.env.PALIAPI_API_KEY = "pali_environment";
  try {
    await new Client().me();
  } finally {
    delete process.env.PALIAPI_URL;
    delete process.env.PALIAPI_API_KEY;
  }
  expect(server.received[0]?.headers.authorization).toBe("Bearer pali_environment");
  expect(() => new Client()).toThrow(/PALIAPI_API_KEY/);
});

test("sends its headers and those of the call, which cannot replace the key", async () => {
  const server = await serve([{ json: {} }]);
  const client = server.client({ headers: { "X-One": "1", Authorization: "Bearer other" } });
  await client.me({ headers: { "X-Two": "2" } });
  expect(server.received[0]?.headers).toMatchObject({ "x-one": "1", "x-two": "2", authorization: `Bearer ${KEY}` });
  expect(server.received[0]?.headers["user-agent"]).toMatch(/^paliapi-typescript\//);
});

test("shows the response of an answer, and uses its ETag for changes", async () => {
  const server = await serve([{ headers: { etag: '"1"', "x-request-id": "r-7" }, json: { name: "reports" } }, problem(412, "stale")]);
  const client = server.client();
  const found = responseOf(await client.collections.get("reports"));
  expect(found).toMatchObject({ status: 200, etag: '"1"', requestId: "r-7" });
  const change = client.collections.update("reports", { metadata: {} }, { ifMatch: found?.etag });
  await expect(change).rejects.toMatchObject({ name: "Stale", code: "stale" });
  expect(server.received[1]?.headers["if-match"]).toBe('"1"');
});

test("says that nothing has changed", async () => {
  const server = await serve([{ status: 304 }]);
  const call = server.client().collections.get("reports", { ifNoneMatch: '"1"' });
  await expect(call).rejects.toMatchObject({ name: "NotModified" });
});

test("searches by words, parts, and whole requests", async () => {
  const server = await serve([{ json: { results: [] } }]);
  const client = server.client();
  await client.search("light", { top_k: 5, include: ["regions"] });
  await client.search([{ text: "lens" }, { text: "granite", weight: -0.3 }]);
  await client.search({ page: { document_name: "lighthouses", page_number: 2 } }, { top_k: 1 });
  await client.searchImage(new Uint8Array([0xff, 0xd8]));
  expect(server.received.map((request) => request.json())).toEqual([
    { query: "light", top_k: 5, include: ["regions"] },
    { query: [{ text: "lens" }, { text: "granite", weight: -0.3 }] },
    { page: { document_name: "lighthouses", page_number: 2 }, top_k: 1 },
    { img_base64: "/9g=" },
  ]);
});
