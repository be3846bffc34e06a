/** Base of every error that this package throws, except for an `AbortSignal` of yours, whose reason is thrown as it is. */
export class PaliAPIError extends Error {
  override name = "PaliAPIError";
}

/** One invalid part of a request. */
export interface ErrorPlace {
  /** JSON pointer to the invalid part, such as `/metadata/year`. */
  pointer: string;
  code: string;
  detail: string;
}

export interface ErrorFields {
  status: number;
  code: string;
  detail: string;
  requestId: string | undefined;
  errors: ErrorPlace[];
  retryAfterMs: number | undefined;
}

/** The server answered with an error. Rely on `status` and `code`; `detail` is for people. */
export class APIError extends PaliAPIError implements ErrorFields {
  override name = "APIError";
  readonly status: number;
  /** A stable code; `/v1/docs/errors` of the server lists all of them. */
  readonly code: string;
  readonly detail: string;
  /** Quote it to the operator of the server: it is in the server's log. */
  readonly requestId: string | undefined;
  /** The invalid parts of the request. */
  readonly errors: ErrorPlace[];
  readonly retryAfterMs: number | undefined;

  constructor(fields: ErrorFields) {
    super(describe(fields));
    this.status = fields.status;
    this.code = fields.code;
    this.detail = fields.detail;
    this.requestId = fields.requestId;
    this.errors = fields.errors;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** 400: the request cannot be read. */
export class BadRequest extends APIError {
  override name = "BadRequest";
}

/** 401: the key is missing, unknown, revoked or expired. */
export class Unauthorized extends APIError {
  override name = "Unauthorized";
}

/** 403: the key does not permit this. */
export class Forbidden extends APIError {
  override name = "Forbidden";
}

/** 404: it does not exist, or belongs to someone else. */
export class NotFound extends APIError {
  override name = "NotFound";
}

/** 409: this conflicts with the current state. */
export class Conflict extends APIError {
  override name = "Conflict";
}

/** 412: it has changed since you read it (`ifMatch`). */
export class Stale extends APIError {
  override name = "Stale";
}

/** 413: the request, the file or the answer would be too large. */
export class TooLarge extends APIError {
  override name = "TooLarge";
}

/** 422: the request is invalid; `errors` says where and why. */
export class InvalidRequest extends APIError {
  override name = "InvalidRequest";
}

/** 429: too many requests, after all retries. */
export class RateLimited extends APIError {
  override name = "RateLimited";
}

/** 429 that waiting does not change: a quota, or the largest number of keys, webhooks or evaluations, is reached. */
export class QuotaExceeded extends APIError {
  override name = "QuotaExceeded";
}

/** 503: temporarily unavailable, after all retries. */
export class ServiceUnavailable extends APIError {
  override name = "ServiceUnavailable";
}

/** Any other 5xx. */
export class ServerError extends APIError {
  override name = "ServerError";
}

/** 304: it has not changed since you read it (`ifNoneMatch`). */
export class NotModified extends PaliAPIError {
  override name = "NotModified";
}

/** No whole answer arrived: the server cannot be reached, the connection broke off, or `timeoutMs` passed. */
export class ConnectionFailed extends PaliAPIError {
  override name = "ConnectionFailed";
}

/** `deadlineMs` passed before the call, with its retries, had succeeded. `cause` is the last failure. */
export class DeadlineExceeded extends PaliAPIError {
  override name = "DeadlineExceeded";
}

/** Something answered that does not behave like PaliAPI: check the address. */
export class InvalidResponse extends PaliAPIError {
  override name = "InvalidResponse";
}

/** A document that was waited for did not become ready. */
export class ProcessingFailed extends PaliAPIError {
  override name = "ProcessingFailed";

  constructor(
    readonly documentName: string,
    /** `failed`, `cancelled`, `superseded` or `deleted`. */
    readonly status: string,
    /** The code of the failure, or the status where there is none. */
    readonly code: string,
    readonly detail: string,
    /** The page that failed, if it was a page. */
    readonly page: number | undefined,
  ) {
    super(`${documentName}: ${detail} (${code})`);
  }
}

/** A webhook message is not genuine. */
export class WebhookVerificationFailed extends PaliAPIError {
  override name = "WebhookVerificationFailed";
}

const PERMANENT = new Set([
  "quota_exceeded",
  "limit_reached",
  "too_many_keys",
  "too_many_webhooks",
  "too_many_evaluations",
  "too_many_evaluation_runs",
]);

const BY_STATUS: Record<number, typeof APIError> = {
  400: BadRequest,
  401: Unauthorized,
  403: Forbidden,
  404: NotFound,
  409: Conflict,
  412: Stale,
  413: TooLarge,
  422: InvalidRequest,
  429: RateLimited,
  503: ServiceUnavailable,
};

/** Return the error of a response that is not a success. */
export function errorOf(status: number, headers: Headers, body: string): APIError {
  const problem = parsed(body);
  const fields: ErrorFields = {
    status,
    code: text(problem.code) ?? `http_${status}`,
    detail: text(problem.detail) ?? text(problem.title) ?? `The server answered with status ${status}.`,
    requestId: text(problem.request_id) ?? headers.get("x-request-id") ?? undefined,
    errors: Array.isArray(problem.errors) ? problem.errors.filter(isPlace) : [],
    retryAfterMs: retryAfterMs(headers.get("retry-after")),
  };
  if (status === 429 && PERMANENT.has(fields.code)) return new QuotaExceeded(fields);
  const kind = BY_STATUS[status] ?? (status >= 500 ? ServerError : APIError);
  return new kind(fields);
}

/** Return the milliseconds that a `Retry-After` means, a number of seconds or a date. */
export function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function describe(fields: ErrorFields): string {
  const places = fields.errors
    .slice(0, 3)
    .map((place) => `${place.pointer || "request"}: ${place.detail}`)
    .filter((place) => !fields.detail.includes(place));
  const request = fields.requestId ? `, request ${fields.requestId}` : "";
  return `${[fields.detail, ...places].join(" ")} (${fields.status} ${fields.code}${request})`;
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 2000) : undefined;
}

function isPlace(value: unknown): value is ErrorPlace {
  const place = value as Partial<ErrorPlace> | null;
  return typeof place === "object" && typeof place?.detail === "string" && typeof place.pointer === "string";
}
