import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Client, OperationId } from "../src/index.js";
import { KEY, serve } from "./server.js";

const EVENTS = 'id: 1\nevent: end\ndata: {"status": "ready"}\n\n';

/** Operations for the clients of others: ColiVara's, which spell them differently, and Dify, which calls us. */
const FOR_OTHERS = ["addWebhookCompatible", "deleteDocumentCompatible", "difyRetrieval"];

type Call = (client: Client) => unknown;

const first = async (rows: AsyncIterable<unknown>) => {
  for await (const _ of rows) return;
};

const CALLS: Partial<Record<OperationId, Call>> = {
  listCollections: (c) => first(c.collections.list()),
  createCollection: (c) => c.collections.create("reports", { metadata: { year: 2026 } }),
  getCollection: (c) => c.collections.get("reports"),
  updateCollection: (c) => c.collections.update("reports", { metadata: {} }),
  deleteCollection: (c) => c.collections.delete("reports"),
  getCollectionQuality: (c) => c.collections.quality("reports"),
  listDocuments: (c) => first(c.documents.list({ collection_name: "all" })),
  getDocument: (c) => c.documents.get("a/b.pdf", { collection_name: "reports" }),
  updateDocument: (c) => c.documents.update("a/b.pdf", { name: "c" }),
  deleteDocument: (c) => c.documents.delete("a/b.pdf"),
  cancelDocument: (c) => c.documents.cancel("a/b.pdf"),
  retryDocument: (c) => c.documents.retry("a/b.pdf"),
  streamDocumentEvents: (c) => first(c.documents.events("a/b.pdf")),
  getPage: (c) => c.pages.get("a/b.pdf", 2),
  getPageImage: (c) => c.pages.image("a/b.pdf", 2),
  upsertDocument: (c) => c.documents.upload(new Blob(["x"]), { name: "a/b.pdf" }),
  upsertDocuments: (c) => c.documents.uploadMany([{ source: new Blob(["x"]), name: "a" }]),
  createEmbeddings: (c) => c.embeddings("query", ["light"]),
  listEvaluations: (c) => first(c.evaluations.list()),
  createEvaluation: (c) => c.evaluations.create("mine", { questions: [] }),
  getEvaluation: (c) => c.evaluations.get(7),
  deleteEvaluation: (c) => c.evaluations.delete(7),
  listEvaluationRuns: (c) => first(c.evaluations.runs.list(7)),
  startEvaluationRun: (c) => c.evaluations.runs.start(7),
  getEvaluationRun: (c) => c.evaluations.runs.get(7, 8),
  deleteEvaluationRun: (c) => c.evaluations.runs.delete(7, 8),
  cancelEvaluationRun: (c) => c.evaluations.runs.cancel(7, 8),
  compareEvaluationRuns: (c) => c.evaluations.runs.compare(7, 8, { baseline: 6 }),
  listEvaluationRunQuestions: (c) => c.evaluations.runs.questions(7, 8),
  getFile: (c) => c.pages.download("/v1/files/token"),
  getSignedPageImage: (c) => c.pages.download("/v1/files/pages/token"),
  getSignedPageThumbnail: (c) => c.pages.download("/v1/files/thumbnails/token"),
  filter: (c) => first(c.filter({ key: "year", op: "gte", value: 2026 })),
  getHealth: (c) => c.health(),
  fileToBase64: (c) => c.fileToBase64(new Blob(["x"])),
  fileToImages: (c) => c.fileToImages(new Blob(["x"])),
  listJobs: (c) => first(c.jobs.list()),
  listKeys: (c) => first(c.keys.list()),
  createKey: (c) => c.keys.create({ scopes: ["read"] }),
  revokeKey: (c) => c.keys.revoke(7, { with: "descendants" }),
  rotateKey: (c) => c.keys.rotate(7),
  getMe: (c) => c.me(),
  getProgress: (c) => c.jobs.progress(),
  search: (c) => c.search("How far is a light seen?"),
  searchImage: (c) => c.searchImage(new Blob(["x"])),
  getUsage: (c) => c.usage(),
  listWebhooks: (c) => first(c.webhooks.list()),
  createWebhook: (c) => c.webhooks.create("https://example.com/hooks"),
  getWebhook: (c) => c.webhooks.get(7),
  updateWebhook: (c) => c.webhooks.update(7, { enabled: true }),
  deleteWebhook: (c) => c.webhooks.delete(7),
  listWebhookDeliveries: (c) => first(c.webhooks.deliveries(7)),
  replayWebhookDelivery: (c) => c.webhooks.replay(7, 8),
  rotateWebhookSecret: (c) => c.webhooks.rotateSecret(7),
  testWebhook: (c) => c.webhooks.test(7),
};

interface Described {
  id: string;
  method: string;
  path: RegExp;
  query: Set<string>;
  isList: boolean;
  isStream: boolean;
  isOpen: boolean;
}

const OPERATIONS = await read();

test("calls every operation of the OpenAPI document as it describes them", async () => {
  for (const operation of OPERATIONS) {
    const call = CALLS[operation.id as OperationId];
    if (!call) {
      expect(FOR_OTHERS, "each operation needs a method").toContain(operation.id);
      continue;
    }
    const body = operation.isStream ? EVENTS : JSON.stringify(operation.isList ? [] : { status: "ready" });
    const server = await serve([{ body }]);
    await call(server.client());
    const request = server.received[0];
    expect(request?.method, operation.id).toBe(operation.method);
    expect(request?.path, operation.id).toMatch(operation.path);
    expect([...(request?.query.keys() ?? [])].filter((name) => !operation.query.has(name)), operation.id).toEqual([]);
    expect(request?.headers.authorization, operation.id).toBe(operation.isOpen ? undefined : `Bearer ${KEY}`);
  }
});

test("has no call of an operation that is gone", () => {
  const known = OPERATIONS.map((operation) => operation.id);
  expect(Object.keys(CALLS).filter((id) => !known.includes(id))).toEqual([]);
});

async function read(): Promise<Described[]> {
  const text = await readFile(new URL("../../../docs/openapi.yaml", import.meta.url), "utf8");
  const { paths } = parse(text) as { paths: Record<string, Record<string, any>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map(([method, operation]) => ({
        id: operation.operationId,
        method: method.toUpperCase(),
        path: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
        query: new Set<string>((operation.parameters ?? []).filter((one: any) => one.in === "query").map((one: any) => one.name)),
        isList: operation.responses["200"]?.content?.["application/json"]?.schema?.type === "array",
        isStream: "text/event-stream" in (operation.responses["200"]?.content ?? {}),
        isOpen: path.startsWith("/v1/files/"),
      })),
  );
}
