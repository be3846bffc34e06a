/** Settings of a client. */
export interface ClientOptions {
  /** Address of the server; default: `PALIAPI_URL`, or `http://localhost:8001`. */
  baseUrl?: string | undefined;
  /** Default: `PALIAPI_API_KEY`. */
  apiKey?: string | undefined;
  /** How long one attempt may take; default 60,000. Uploads get a second more for every 256 kB. */
  timeoutMs?: number | undefined;
  /** How long a call may take in total, with its retries; default: no limit. */
  deadlineMs?: number | undefined;
  /** How often a request is repeated that failed for a reason that may pass; default 4. */
  maxRetries?: number | undefined;
  /** Answers that are larger are refused; default 256 MiB. */
  maxResponseBytes?: number | undefined;
  /** Sent with every request. */
  headers?: Record<string, string> | undefined;
  /** Default: the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** Settings of one call; they precede those of the client. */
export interface RequestOptions {
  /** Aborts the call, its retries and its waiting. */
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  deadlineMs?: number | undefined;
  maxRetries?: number | undefined;
  /** For operations that accept one; default: a random one, so that a repeated request takes effect once. */
  idempotencyKey?: string | undefined;
  /** The `ETag` that you read: the change is refused (`Stale`) if there was another since. */
  ifMatch?: string | undefined;
  /** The `ETag` that you have: `NotModified` is thrown if it is the current one. */
  ifNoneMatch?: string | undefined;
  headers?: Record<string, string> | undefined;
}

export const DEFAULT_URL = "http://localhost:8001";
const LOWEST_RATE_BYTES_PER_S = 256 * 1024;

/** Return a variable of the environment; undefined where there is none, as in browsers. */
export function fromEnvironment(name: string): string | undefined {
  try {
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
    return process?.env?.[name] || undefined;
  } catch {
    return undefined; // Deno without the permission to read it
  }
}

/** Return the origin and path below which the API is, without `/v1` and a slash at the end. */
export function checkedUrl(address: string): string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new TypeError(`baseUrl is not a URL: ${JSON.stringify(address)}`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("baseUrl must begin with http:// or https://");
  if (url.username || url.password) throw new TypeError("baseUrl must not contain a password; send the key as apiKey");
  if (url.search || url.hash) throw new TypeError("baseUrl must have neither a query nor a fragment");
  return (url.origin + url.pathname).replace(/\/+$/, "").replace(/\/v1$/, "");
}

/** Return the key, or throw if no header can carry it. The message does not contain the key. */
export function checkedKey(key: string | undefined): string {
  if (!key) throw new TypeError("An API key is needed: apiKey, or PALIAPI_API_KEY in the environment");
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError("apiKey contains spaces, line breaks or other characters that keys never have");
  return key;
}

/** Return the time that one attempt may take, whose body has so many bytes. */
export function timeoutOf(timeoutMs: number, bodyBytes: number): number {
  return timeoutMs + (bodyBytes / LOWEST_RATE_BYTES_PER_S) * 1000;
}
