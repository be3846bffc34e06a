import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, vi } from "vitest";
import { Client } from "../src/index.js";
import type { ClientOptions } from "../src/index.js";

/** A request as the server received it. */
export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
  json(): unknown;
  form(): Promise<FormData>;
}

/** What the server answers: JSON with status 200, a whole answer, or a function that writes it. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; json?: unknown; body?: string | Buffer }
  | ((response: ServerResponse) => void);

export interface Server {
  url: string;
  received: Received[];
  client(options?: ClientOptions): Client;
}

export const KEY = "pali_test";
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** Start a server that answers with a list of replies, the last of them forever, or as a function decides. */
export async function serve(replies: Reply[] | ((request: Received) => Reply | Promise<Reply>)): Promise<Server> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return; // the client went away
    }
    const one = read(request, Buffer.concat(parts));
    received.push(one);
    const reply = Array.isArray(replies) ? replies[Math.min(received.length, replies.length) - 1] : await replies(one);
    write(response, reply ?? {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, client: (options = {}) => new Client({ baseUrl: url, apiKey: KEY, ...options }) };
}

/** Let time for waiting pass fifty times faster, and return the times that were asked for. */
export function hurry(): number[] {
  const asked: number[] = [];
  const { setTimeout: real } = globalThis;
  vi.stubGlobal("setTimeout", (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) => {
    asked.push(ms);
    return real(run, ms / 50, ...values);
  });
  return asked;
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Reply {
  const json = { status, code, title: "No.", detail: `Because of ${code}.`, errors: [], request_id: "r-1", type: "x" };
  return { status, headers, json };
}

function read(request: IncomingMessage, body: Buffer): Received {
  const url = new URL(request.url ?? "", "http://server");
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
    json: () => JSON.parse(body.toString()) as unknown,
    form: () => {
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      return new Response(new Uint8Array(body), { headers }).formData();
    },
  };
}

function write(response: ServerResponse, reply: Reply): void {
  if (typeof reply === "function") {
    reply(response);
    return;
  }
  const body = reply.body ?? (reply.json === undefined ? "" : JSON.stringify(reply.json));
  response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers });
  response.end(body);
}
