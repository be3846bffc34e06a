import { InvalidResponse, NotFound } from "./errors.js";
import { OPERATIONS } from "./generated/operations.js";
import { DEFAULT_URL, checkedKey, checkedUrl, fromEnvironment } from "./options.js";
import type { ClientOptions, RequestOptions } from "./options.js";
import type { AnswerOf, BodyOf, OperationId, PathOf, QueryOf, RowOf } from "./schemas.js";
import { Transport } from "./transport.js";
import type { Answer, OpenAnswer, Outgoing } from "./transport.js";
import { VERSION } from "./version.js";
import type { Patience } from "./waiting.js";

/** These change nothing, or the same request has the same effect when it is repeated. */
const REPEATABLE_POSTS: ReadonlySet<string> = new Set<OperationId>([
  "search",
  "searchImage",
  "filter",
  "createEmbeddings",
  "fileToBase64",
  "fileToImages",
]);

/** The parts of a request. */
export interface Parts<Id extends OperationId> {
  path?: PathOf<Id>;
  query?: QueryOf<Id> | undefined;
  body?: BodyOf<Id> | undefined;
  form?: FormData | undefined;
  headers?: Record<string, string>;
  accept?: string;
  /** Throw `RateLimited` at once, for a caller that slows down by itself. */
  throwLimits?: boolean;
}

/** What is known of the response that an object came in. */
export interface ResponseInfo {
  status: number;
  headers: Headers;
  etag: string | undefined;
  requestId: string | undefined;
}

const RESPONSES = new WeakMap<object, ResponseInfo>();

/** Return status and headers of the response that an object or a list was returned from; its `ETag`, for example. */
export function responseOf(answer: object): ResponseInfo | undefined {
  return RESPONSES.get(answer);
}

/** Turns calls of operations into requests, and answers into objects. */
export class Core {
  readonly baseUrl: string;
  readonly #key: string;
  readonly #headers: Record<string, string>;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.baseUrl = checkedUrl(options.baseUrl ?? fromEnvironment("PALIAPI_URL") ?? DEFAULT_URL);
    this.#key = checkedKey(options.apiKey ?? fromEnvironment("PALIAPI_API_KEY"));
    this.#headers = lowered(options.headers);
    this.#transport = new Transport(options);
  }

  patience(options: RequestOptions): Patience {
    return this.#transport.patience(options);
  }

  /** Call an operation that answers with JSON, or with nothing. */
  async call<Id extends OperationId>(id: Id, parts: Parts<Id>, options: RequestOptions = {}, patience?: Patience): Promise<AnswerOf<Id>> {
    const answer = await this.answer(id, parts, options, patience);
    return this.#object(answer) as AnswerOf<Id>;
  }

  /** Call an operation and return its answer as bytes. */
  async answer<Id extends OperationId>(id: Id, parts: Parts<Id>, options: RequestOptions = {}, patience?: Patience): Promise<Answer> {
    const request = this.#request(id, parts, options);
    return await this.#transport.send(request, options, patience);
  }

  /** Call an operation that answers with a stream. */
  open<Id extends OperationId>(id: Id, parts: Parts<Id>, options: RequestOptions, patience: Patience): Promise<OpenAnswer> {
    return this.#transport.open(this.#request(id, parts, options), options, patience);
  }

  /** Get a signed link, which needs no key, and never gets one. */
  async download(url: string, options: RequestOptions): Promise<Answer> {
    const target = new URL(url, `${this.baseUrl}/`);
    if (target.protocol !== "http:" && target.protocol !== "https:") throw new TypeError("A link must begin with http:// or https://");
    const request = { method: "GET", url: target.href, headers: {}, bodyBytes: 0, repeatable: true, throwLimits: false };
    return await this.#transport.send(request, options);
  }

  /** Delete something. It is no error if an attempt whose answer got lost has deleted it already. */
  async remove<Id extends OperationId>(id: Id, parts: Parts<Id>, options: RequestOptions = {}): Promise<void> {
    const patience = this.patience(options);
    let repeated = false;
    const request = this.#request(id, parts, options);
    try {
      await this.#transport.send(request, options, patience, () => (repeated = true));
    } catch (error) {
      if (!(error instanceof NotFound && repeated)) throw error;
    }
  }

  /** Return the rows of one page of a list, and the cursor of the next. */
  async page<Id extends OperationId>(
    id: Id,
    parts: Parts<Id>,
    options: RequestOptions,
  ): Promise<{ rows: RowOf<Id>[]; next: string | undefined }> {
    const answer = await this.answer(id, parts, options);
    const rows = this.#object(answer);
    if (!Array.isArray(rows)) throw new InvalidResponse(`${id}: the answer is not a list.`);
    return { rows: rows as RowOf<Id>[], next: nextCursor(answer.headers.get("link"), this.baseUrl) };
  }

  #request<Id extends OperationId>(id: Id, parts: Parts<Id>, options: RequestOptions): Outgoing {
    const { method, path, idempotencyKey } = OPERATIONS[id];
    const headers: Record<string, string> = {
      accept: parts.accept ?? "application/json",
      "user-agent": `paliapi-typescript/${VERSION}`,
      ...this.#headers,
      ...lowered(options.headers),
      ...parts.headers,
    };
    headers.authorization = `Bearer ${this.#key}`;
    if (options.ifMatch !== undefined) headers["if-match"] = options.ifMatch;
    if (options.ifNoneMatch !== undefined) headers["if-none-match"] = options.ifNoneMatch;
    if (idempotencyKey) headers["idempotency-key"] = options.idempotencyKey ?? randomKey();
    let body: string | FormData | undefined = parts.form;
    if (!body && parts.body !== undefined) {
      body = JSON.stringify(parts.body);
      headers["content-type"] = "application/json";
    }
    return {
      method,
      url: this.baseUrl + filled(path, parts.path) + queryString(parts.query),
      headers,
      body,
      bodyBytes: bytesOf(body),
      throwLimits: parts.throwLimits ?? false,
      repeatable: method === "GET" || method === "DELETE" || idempotencyKey || REPEATABLE_POSTS.has(id),
    };
  }

  #object(answer: Answer): unknown {
    if (answer.status === 204 || answer.body.byteLength === 0) return undefined;
    const text = new TextDecoder().decode(answer.body);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      const type = answer.headers.get("content-type") ?? "no content type";
      throw new InvalidResponse(`The answer is not JSON (${type}): ${JSON.stringify(text.slice(0, 100))}. Is baseUrl right?`);
    }
    if (typeof value !== "object" || value === null) throw new InvalidResponse("The answer is neither an object nor a list.");
    RESPONSES.set(value, {
      status: answer.status,
      headers: answer.headers,
      etag: answer.headers.get("etag") ?? undefined,
      requestId: answer.headers.get("x-request-id") ?? undefined,
    });
    return value;
  }
}

/** Put the values into a path. Names of documents contain slashes; a segment of dots would be resolved away by URLs. */
function filled(path: string, values: object | undefined): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = (values as Record<string, unknown> | undefined)?.[name];
    if (value === undefined || value === null || value === "") throw new TypeError(`${name} is missing`);
    const encoded = encodeURIComponent(String(value));
    if (/^\.\.?$/.test(encoded)) throw new TypeError(`${name} must not be ${JSON.stringify(value)}`);
    return encoded;
  });
}

function queryString(values: object | undefined): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values ?? {})) {
    if (value !== undefined && value !== null) query.append(name, String(value));
  }
  return query.size ? `?${query}` : "";
}

function nextCursor(link: string | null, baseUrl: string): string | undefined {
  const match = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "");
  if (!match) return undefined;
  try {
    return new URL(match[1] as string, `${baseUrl}/`).searchParams.get("cursor") ?? undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(body: string | FormData | undefined): number {
  if (body === undefined) return 0;
  if (typeof body === "string") return body.length;
  let size = 0;
  for (const value of body.values()) size += typeof value === "string" ? value.length : value.size;
  return size;
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lowered(headers: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}
