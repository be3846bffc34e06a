import type { Core } from "../core.js";
import {
  APIError,
  ConnectionFailed,
  InvalidResponse,
  NotFound,
  ProcessingFailed,
  QuotaExceeded,
  RateLimited,
  ServiceUnavailable,
} from "../errors.js";
import { eventsOf } from "../events.js";
import type { RequestOptions } from "../options.js";
import type { Document, Job } from "../schemas.js";
import { delayMs } from "../waiting.js";
import type { Patience } from "../waiting.js";

/** One state of the processing of a document. */
export interface JobEvent {
  /** For `lastEventId`. */
  id: string;
  /** `end` is the last. */
  event: "progress" | "end";
  job: JobState;
}

/** A job; only `status` is certain, because a deleted document has none. */
export type JobState = Partial<Omit<Job, "status">> & { status: Job["status"] | "ready" | "superseded" | "deleted" };

/** Where processing stands. */
export type UploadProgress = Pick<JobState, "status" | "pages_done" | "pages_total" | "waiting_for">;

export interface Followed {
  name: string;
  collection_name?: string | undefined;
  lastEventId?: string | undefined;
}

/** The server sends a comment every fifteen seconds. */
const IDLE_MS = 45_000;
const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 5_000;
/** Enough to outlast a restart of the server. */
const POLL_RETRIES = 12;

/** Yield the events of a document until the last; connect again where a stream ends early. */
export async function* follow(core: Core, document: Followed, options: RequestOptions, patience: Patience): AsyncGenerator<JobEvent> {
  let last = document.lastEventId;
  for (let failures = 0; ; ) {
    patience.check();
    const stream = await core.open(
      "streamDocumentEvents",
      {
        path: { document_name: document.name },
        query: inCollection(document),
        accept: "text/event-stream",
        headers: last === undefined ? {} : { "last-event-id": last },
      },
      options,
      patience,
    );
    if (stream.status === 204) return;
    try {
      for await (const one of eventsOf(stream.pieces(IDLE_MS))) {
        failures = 0;
        last = one.id;
        const event: JobEvent = { id: one.id, event: one.event === "end" ? "end" : "progress", job: stateOf(one.data) };
        yield event;
        if (event.event === "end") return;
      }
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error;
      if (patience.leftMs <= 0) throw patience.exceeded(error);
    }
    await patience.sleep(delayMs(failures, undefined));
    failures += 1;
  }
}

/** Wait until a document is ready and return it, by events if the server has a stream to spare, by polling otherwise. */
export async function waitFor(
  core: Core,
  document: Followed,
  onProgress: ((progress: UploadProgress) => void) | undefined,
  options: RequestOptions,
  patience: Patience,
): Promise<Document> {
  try {
    for await (const { event, job } of follow(core, document, { ...options, maxRetries: 0 }, patience)) {
      onProgress?.(job);
      if (event === "end" && job.status !== "ready") throw failureOf(document.name, job);
    }
  } catch (error) {
    if (!isWithoutStream(error)) throw error;
  }
  return await poll(core, document, onProgress, options, patience);
}

async function poll(
  core: Core,
  document: Followed,
  onProgress: ((progress: UploadProgress) => void) | undefined,
  options: RequestOptions,
  patience: Patience,
): Promise<Document> {
  const parts = { path: { document_name: document.name }, query: inCollection(document) };
  const patient = { ...options, maxRetries: Math.max(options.maxRetries ?? 0, POLL_RETRIES) };
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(SLOWEST_POLL_MS, pauseMs * 1.5)) {
    let found: Document;
    try {
      found = await core.call("getDocument", parts, patient, patience);
    } catch (error) {
      if (error instanceof NotFound) throw failureOf(document.name, { status: "deleted" });
      throw error;
    }
    if (found.status === "ready") return found;
    onProgress?.(found);
    if (found.status === "failed" || found.status === "cancelled") throw failureOf(document.name, found);
    await patience.sleep(pauseMs);
  }
}

/** Return the error for a document whose processing ended without success. */
export function failureOf(name: string, state: { status: string; error?: Document["error"] | undefined }): ProcessingFailed {
  const words: Record<string, string> = {
    cancelled: "Processing was cancelled.",
    deleted: "The document was deleted.",
    superseded: "A newer upload replaced this one.",
  };
  const { error } = state;
  const detail = error?.detail ?? words[state.status] ?? "Processing failed.";
  return new ProcessingFailed(name, state.status, error?.code ?? state.status, detail, error?.page);
}

export function inCollection(params: { collection_name?: string | undefined }): { collection_name?: string } {
  return params.collection_name === undefined ? {} : { collection_name: params.collection_name };
}

function isWithoutStream(error: unknown): boolean {
  if (error instanceof QuotaExceeded) return false;
  if (error instanceof RateLimited || error instanceof ServiceUnavailable || error instanceof ConnectionFailed) return true;
  return error instanceof InvalidResponse || (error instanceof APIError && error.status >= 500);
}

function stateOf(data: string): JobState {
  try {
    const state: unknown = JSON.parse(data);
    if (typeof (state as JobState | null)?.status === "string") return state as JobState;
  } catch {
    // below
  }
  throw new InvalidResponse("An event of the stream is not a job.");
}
