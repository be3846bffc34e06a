import type { Core } from "../core.js";
import { responseOf } from "../core.js";
import { DeadlineExceeded, Forbidden, NotFound, PaliAPIError, QuotaExceeded, RateLimited, Unauthorized } from "../errors.js";
import { filesBelow, openFile, sha256Of } from "../files.js";
import type { FolderFile } from "../files.js";
import { listOf } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { Document } from "../schemas.js";
import { formOf } from "../sources.js";
import type { Patience } from "../waiting.js";
import { fieldsOf } from "./documents.js";
import type { UploadOptions } from "./documents.js";
import { failureOf } from "./following.js";

/** Fields and choices for the upload of a folder. */
export interface FolderOptions extends Pick<UploadOptions, "collection_name" | "on_page_error" | "wait"> {
  /** That of every document, or a function of the file. */
  metadata?: Record<string, unknown> | ((file: FolderFile) => Record<string, unknown> | undefined) | undefined;
  /** Which files to upload; default: all but hidden ones. */
  filter?: ((file: FolderFile) => boolean) | undefined;
  /** Name of the document; default: the path of the file below the folder, with slashes. */
  nameOf?: ((file: FolderFile) => string) | undefined;
  /** How many files at a time; default 6. */
  parallel?: number | undefined;
  /** Whether to leave out files that the collection has with the same content; default true. */
  skipUnchanged?: boolean | undefined;
  /** Called with the outcome of each file, as soon as it is known. */
  onResult?: ((result: FolderResult) => void) | undefined;
}

/** The outcome of one file. */
export interface FolderResult {
  path: string;
  /** Name of the document. */
  name: string;
  /** `uploaded`: stored, and will be processed. `ready`: can be searched, with `wait`. */
  outcome: "uploaded" | "ready" | "unchanged" | "failed";
  error?: Error;
  document?: Document;
}

export interface FolderReport {
  results: FolderResult[];
  /** The files that failed. */
  failed: FolderResult[];
}

const PARALLEL = 6;
const POLL_MS = 1_000;
const SLOWEST_POLL_MS = 5_000;
const POLL_RETRIES = 12;
const PAUSE_MS = 1_000;

/** Upload the files of a folder; throw only where none could be uploaded. */
export async function uploadFolder(core: Core, folder: string, params: FolderOptions, options: RequestOptions): Promise<FolderReport> {
  const upload = new FolderUpload(core, params, options);
  const all = await filesBelow(folder);
  return await upload.run(params.filter ? all.filter(params.filter) : all);
}

class FolderUpload {
  readonly #core: Core;
  readonly #params: FolderOptions;
  readonly #options: RequestOptions;
  readonly #patience: Patience;
  readonly #results: FolderResult[] = [];
  readonly #pending = new Map<string, FolderFile>();
  #known = new Map<string, Document>();
  #pause: Promise<void> | undefined;
  #pausedUntil = 0;
  #stopped: unknown;

  constructor(core: Core, params: FolderOptions, options: RequestOptions) {
    this.#core = core;
    this.#params = params;
    this.#options = options;
    this.#patience = core.patience(options);
  }

  async run(files: FolderFile[]): Promise<FolderReport> {
    if (this.#params.skipUnchanged ?? true) this.#known = await this.#documents();
    const queue = files[Symbol.iterator]();
    const worker = async () => {
      for (const file of queue) {
        if (this.#stopped !== undefined) return;
        await this.#one(file).catch((error: unknown) => (this.#stopped ??= error));
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, this.#params.parallel ?? PARALLEL) }, worker));
    if (this.#stopped !== undefined) throw this.#stopped;
    await this.#follow();
    return { results: this.#results, failed: this.#results.filter((one) => one.outcome === "failed") };
  }

  /** Return the documents of the collection by name; none if the key may not list them. */
  async #documents(): Promise<Map<string, Document>> {
    const query = collectionOf(this.#params);
    try {
      const documents = await listOf(this.#core, "listDocuments", { query }, this.#patient()).all();
      return new Map(documents.map((document) => [document.name, document]));
    } catch (error) {
      if (error instanceof NotFound || error instanceof Forbidden) return new Map();
      throw error;
    }
  }

  async #one(file: FolderFile): Promise<void> {
    const name = this.#params.nameOf?.(file) ?? file.name;
    try {
      const known = this.#known.get(name);
      if (known?.sha256 && known.status !== "failed" && known.status !== "cancelled") {
        if (known.sha256 === (await sha256Of(file.path))) {
          if (known.status === "ready" || !this.#params.wait) this.#report({ path: file.path, name, outcome: "unchanged" });
          else this.#pending.set(name, file);
          return;
        }
      }
      await this.#upload(file, name);
    } catch (error) {
      // The other files would fail in the same way.
      if (error instanceof Unauthorized || error instanceof QuotaExceeded || error instanceof DeadlineExceeded) throw error;
      this.#patience.check(error);
      this.#report({ path: file.path, name, outcome: "failed", error: asError(error) });
      return;
    }
    if (this.#params.wait) this.#pending.set(name, file);
    else this.#report({ path: file.path, name, outcome: "uploaded" });
  }

  /** Upload a file; however often the server asks to slow down. */
  async #upload(file: FolderFile, name: string): Promise<void> {
    const { metadata } = this.#params;
    const fields = fieldsOf({ ...this.#params, metadata: typeof metadata === "function" ? metadata(file) : metadata });
    const idempotencyKey = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join("-");
    for (;;) {
      for (let pause; pause !== this.#pause; await pause) pause = this.#pause;
      const { blob } = await openFile(file.path);
      const form = formOf({ ...fields, name }, [{ field: "file", content: { blob, name }, name }]);
      try {
        const parts = { form, throwLimits: true };
        const accepted = await this.#core.call("upsertDocument", parts, { ...this.#patient(), idempotencyKey }, this.#patience);
        this.#slowDown(responseOf(accepted)?.headers.get("ratelimit"));
        return;
      } catch (error) {
        if (!(error instanceof RateLimited)) throw error;
        this.#pauseFor((error.retryAfterMs ?? PAUSE_MS) + Math.random() * PAUSE_MS, error);
      }
    }
  }

  /** Pause before the budget of the key or of its account is empty. */
  #slowDown(header: string | null | undefined): void {
    const left = Array.from((header ?? "").matchAll(/\br=(\d+)/g), (match) => Number(match[1]));
    if (left.length > 0 && Math.min(...left) <= (this.#params.parallel ?? PARALLEL)) this.#pauseFor(PAUSE_MS);
  }

  /** Let all workers wait before their next request. */
  #pauseFor(ms: number, cause?: unknown): void {
    if (Date.now() + ms <= this.#pausedUntil) return;
    this.#pausedUntil = Date.now() + ms;
    this.#pause = this.#patience.sleep(ms, cause);
    this.#pause.catch(() => undefined); // there may be no worker left to wait
  }

  /** Wait for all documents, with one list of jobs for all of them at a time. */
  async #follow(): Promise<void> {
    for (let pauseMs = POLL_MS; this.#pending.size > 0; pauseMs = Math.min(SLOWEST_POLL_MS, pauseMs * 1.2)) {
      const query = collectionOf(this.#params);
      const working = new Set<string>();
      for await (const job of listOf(this.#core, "listJobs", { query }, this.#patient())) {
        if (job.status !== "failed" && job.status !== "cancelled") working.add(job.document_name);
      }
      for (const [name, file] of this.#pending) {
        if (working.has(name)) continue;
        if (await this.#finished(name, file)) this.#pending.delete(name);
      }
      if (this.#pending.size > 0) await this.#patience.sleep(pauseMs);
    }
  }

  async #finished(name: string, file: FolderFile): Promise<boolean> {
    const result = { path: file.path, name };
    try {
      const parts = { path: { document_name: name }, query: collectionOf(this.#params) };
      const document = await this.#core.call("getDocument", parts, this.#patient(), this.#patience);
      if (document.status === "ready") this.#report({ ...result, outcome: "ready", document });
      else if (document.status === "failed" || document.status === "cancelled") {
        this.#report({ ...result, outcome: "failed", document, error: failureOf(name, document) });
      } else return false;
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      this.#report({ ...result, outcome: "failed", error: failureOf(name, { status: "deleted" }) });
    }
    return true;
  }

  /** Return options with which a call outlasts a restart of the server. */
  #patient(): RequestOptions {
    return { ...this.#options, maxRetries: Math.max(this.#options.maxRetries ?? 0, POLL_RETRIES) };
  }

  #report(result: FolderResult): void {
    this.#results.push(result);
    this.#params.onResult?.(result);
  }
}

/** Return the parameter for lists and single documents, both of which take another default than uploads. */
function collectionOf(params: FolderOptions): { collection_name: string } {
  return { collection_name: params.collection_name ?? "default_collection" };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new PaliAPIError(String(error));
}
