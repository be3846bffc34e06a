import { APIError, ConnectionFailed, InvalidResponse, NotModified, QuotaExceeded, errorOf } from "./errors.js";
import { timeoutOf } from "./options.js";
import type { ClientOptions, RequestOptions } from "./options.js";
import { Patience, delayMs } from "./waiting.js";

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_RETRIES = 4;
const DEFAULT_RESPONSE_BYTES = 256 * 1024 * 1024;
const ERROR_BYTES = 1024 * 1024;
const LONGEST_RETRY_AFTER_MS = 120_000;
const PASSING = new Set([408, 429, 502, 503, 504]);
const REFUSED_UNREAD = new Set([429, 503]);
/** Codes of 503 that the same request gets again. */
const LASTING = new Set(["took_too_long", "search_took_too_long", "sandbox_incomplete", "sign_in_unavailable"]);
const NEVER_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|connection refused/i;

/** A request, before it is sent. */
export interface Outgoing {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | FormData | undefined;
  bodyBytes: number;
  /** Whether it may be sent again if nobody knows whether the server has executed it. */
  repeatable: boolean;
  /** Whether 429 is left to the caller. */
  throwLimits: boolean;
}

/** A whole answer. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/** An answer whose body arrives in pieces. */
export interface OpenAnswer {
  status: number;
  headers: Headers;
  /** Yield the body; close the connection when the iteration ends. */
  pieces(idleMs: number): AsyncGenerator<Uint8Array>;
}

/** Sends requests, and repeats them where that can help. */
export class Transport {
  readonly #settings: ClientOptions;

  constructor(settings: ClientOptions) {
    this.#settings = settings;
  }

  /** Return what limits the duration of a call. */
  patience(options: RequestOptions): Patience {
    return new Patience(options.deadlineMs ?? this.#settings.deadlineMs, options.signal);
  }

  /** Send a request and read the whole answer; report each repetition. */
  send(
    request: Outgoing,
    options: RequestOptions,
    patience = this.patience(options),
    onRetry?: () => void,
  ): Promise<Answer> {
    const limit = this.#settings.maxResponseBytes ?? DEFAULT_RESPONSE_BYTES;
    return this.#repeated(request, options, patience, onRetry, async (attempt) => {
      const response = await this.#opened(request, attempt);
      return { status: response.status, headers: response.headers, body: await attempt.read(response, limit) };
    });
  }

  /** Send a request and return as soon as the answer begins. */
  open(request: Outgoing, options: RequestOptions, patience = this.patience(options)): Promise<OpenAnswer> {
    return this.#repeated(request, options, patience, undefined, async (attempt) => {
      const response = await this.#opened(request, attempt);
      attempt.detach();
      return {
        status: response.status,
        headers: response.headers,
        pieces: (idleMs: number) => attempt.pieces(response, idleMs),
      };
    });
  }

  async #repeated<T>(
    request: Outgoing,
    options: RequestOptions,
    patience: Patience,
    onRetry: (() => void) | undefined,
    once: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const retries = options.maxRetries ?? this.#settings.maxRetries ?? DEFAULT_RETRIES;
    const timeoutMs = timeoutOf(options.timeoutMs ?? this.#settings.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.bodyBytes);
    for (let number = 0; ; number += 1) {
      patience.check();
      const attempt = new Attempt(timeoutMs, patience);
      try {
        return await once(attempt);
      } catch (error) {
        attempt.abandon();
        patience.signal?.throwIfAborted();
        if (patience.leftMs <= 0) throw patience.exceeded(error);
        if (number >= retries || !mayPass(error, request)) throw error;
        const retryAfterMs = error instanceof APIError ? error.retryAfterMs : undefined;
        await patience.sleep(delayMs(number, retryAfterMs), error);
        onRetry?.();
      } finally {
        attempt.settle();
      }
    }
  }

  async #opened(request: Outgoing, attempt: Attempt): Promise<Response> {
    const send = this.#settings.fetch ?? globalThis.fetch;
    const response = await attempt.translated(
      send(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // A redirect could lead the key to another server; and none of PaliAPI's answers is one.
        redirect: "manual",
        credentials: "omit",
        signal: attempt.signal,
      }),
    );
    if (response.status === 304) throw new NotModified("It has not changed since.");
    if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
      const target = response.headers.get("location");
      throw new InvalidResponse(`The server redirects${target ? ` to ${target.slice(0, 500)}` : ""}; set the right baseUrl.`);
    }
    if (response.ok) return response;
    const body = new TextDecoder().decode(await attempt.read(response, ERROR_BYTES));
    throw errorOf(response.status, response.headers, body);
  }
}

/** One attempt: its time limit, and what its failures mean. */
class Attempt {
  readonly #controller = new AbortController();
  readonly #patience: Patience;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #detached = false;
  #timeoutMs: number;
  readonly #aborted = () => this.#controller.abort();

  constructor(timeoutMs: number, patience: Patience) {
    this.#patience = patience;
    this.#timeoutMs = timeoutMs;
    patience.signal?.addEventListener("abort", this.#aborted, { once: true });
    this.#limit(timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Let the connection outlive the call that opened it. */
  detach(): void {
    this.#detached = true;
  }

  abandon(): void {
    this.#detached = false;
    this.#controller.abort();
  }

  /** Release what the attempt holds, unless it is detached. */
  settle(): void {
    if (this.#detached) return;
    clearTimeout(this.#timer);
    this.#patience.signal?.removeEventListener("abort", this.#aborted);
  }

  async translated<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      this.#patience.signal?.throwIfAborted();
      if (this.signal.aborted) {
        throw new ConnectionFailed(`No answer within ${Math.round(this.#timeoutMs)} ms.`, { cause: error });
      }
      const cause = (error as { cause?: unknown }).cause ?? error;
      const words = cause instanceof Error && cause.message ? cause.message : String((error as Error).message ?? error);
      throw new ConnectionFailed(`The server cannot be reached, or the connection broke off: ${words}`, { cause: error });
    }
  }

  /** Read the whole body, of at most so many bytes. */
  async read(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
    if (Number(response.headers.get("content-length") ?? 0) > limit) {
      this.abandon();
      throw new InvalidResponse(`The answer is larger than ${limit} bytes.`);
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    while (reader) {
      const { done, value } = await this.translated(reader.read());
      if (done) break;
      size += value.byteLength;
      if (size > limit) {
        this.abandon();
        throw new InvalidResponse(`The answer is larger than ${limit} bytes.`);
      }
      parts.push(value);
    }
    const body = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      body.set(part, at);
      at += part.byteLength;
    }
    return body;
  }

  /** Yield the body as it arrives; fail if nothing arrives for so long. */
  async *pieces(response: Response, idleMs: number): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    try {
      while (reader) {
        this.#limit(idleMs);
        const { done, value } = await this.translated(reader.read());
        clearTimeout(this.#timer); // the reader may take its time
        if (done) return;
        yield value;
      }
    } finally {
      this.abandon();
      this.settle();
    }
  }

  #limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timeoutMs = ms;
    this.#timer = setTimeout(this.#aborted, Math.max(0, Math.min(ms, this.#patience.leftMs, 2 ** 31 - 1)));
  }
}

/** Return whether the same request may succeed later, and may be sent again. */
function mayPass(error: unknown, request: Outgoing): boolean {
  if (error instanceof QuotaExceeded) return false;
  if (error instanceof APIError) {
    if (error.status === 429 && request.throwLimits) return false;
    if (LASTING.has(error.code) || (error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) return false;
    return PASSING.has(error.status) && (request.repeatable || REFUSED_UNREAD.has(error.status));
  }
  return error instanceof ConnectionFailed && (request.repeatable || wasNeverSent(error));
}

function wasNeverSent(error: ConnectionFailed): boolean {
  for (let one: unknown = error.cause, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if (NEVER_SENT.test(`${(one as { code?: string }).code ?? ""} ${one.message}`)) return true;
  }
  return false;
}
