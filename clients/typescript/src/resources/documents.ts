import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { BodyOf, Document, DocumentAccepted, DocumentsAccepted, QueryOf } from "../schemas.js";
import { contentOf, formOf } from "../sources.js";
import type { Source } from "../sources.js";
import { uploadFolder } from "./folder.js";
import type { FolderOptions, FolderReport } from "./folder.js";
import { follow, inCollection, waitFor } from "./following.js";
import type { JobEvent, UploadProgress } from "./following.js";
import type { InCollection } from "./pages.js";

export type { JobEvent, JobState, UploadProgress } from "./following.js";

type Upsert = BodyOf<"upsertDocument">;

/** Fields of an upload. */
export interface UploadOptions extends InCollection {
  /** Default: that of the file, or the end of the URL's path. An existing document of this name is replaced. */
  name?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
  on_page_error?: Upsert["on_page_error"] | undefined;
  /** Whether to return when the document can be searched, instead of when it is stored. */
  wait?: boolean | undefined;
  /** Called with each state of the processing while waiting. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** One of several files of an upload. */
export interface FileUpload {
  source: Source;
  name?: string | undefined;
}

type Waiting = UploadOptions & { wait: true };

export class Documents {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Upload a document and wait until it can be searched; `ProcessingFailed` is thrown if it cannot. */
  upload(source: Source, params: Waiting, options?: RequestOptions): Promise<Document>;
  /** Upload a document; the answer means that it is stored, and will be processed. */
  upload(source: Source, params?: UploadOptions & { wait?: false | undefined }, options?: RequestOptions): Promise<DocumentAccepted>;
  upload(source: Source, params?: UploadOptions, options?: RequestOptions): Promise<Document | DocumentAccepted>;
  async upload(source: Source, params: UploadOptions = {}, options: RequestOptions = {}): Promise<Document | DocumentAccepted> {
    const content = await contentOf(source);
    const name = params.name ?? content.name;
    if (!name) throw new TypeError("Give the document a name: bytes and streams have none");
    const form = formOf({ ...fieldsOf(params), name }, [{ field: "file", content, name }]);
    return await this.#upserted({ form }, name, params, options);
  }

  /** Let the server fetch a document, and wait until it can be searched. */
  uploadUrl(url: string | URL, params: Waiting, options?: RequestOptions): Promise<Document>;
  /** Let the server fetch a document from a public URL. */
  uploadUrl(url: string | URL, params?: UploadOptions & { wait?: false | undefined }, options?: RequestOptions): Promise<DocumentAccepted>;
  uploadUrl(url: string | URL, params?: UploadOptions, options?: RequestOptions): Promise<Document | DocumentAccepted>;
  async uploadUrl(url: string | URL, params: UploadOptions = {}, options: RequestOptions = {}): Promise<Document | DocumentAccepted> {
    const target = new URL(url);
    const name = params.name ?? decodeURIComponent(target.pathname.split("/").filter(Boolean).pop() ?? "");
    if (!name) throw new TypeError("Give the document a name: the path of the URL is empty");
    const body = { ...fieldsOf(params), name, url: target.href } as Upsert;
    return await this.#upserted({ body }, name, params, options);
  }

  /**
   * Upload a folder, where the runtime has files: several at a time, slower as the limits of the server require, without
   * those that have not changed. One bad file does not stop the others: see the report.
   */
  uploadFolder(folder: string, params: FolderOptions = {}, options: RequestOptions = {}): Promise<FolderReport> {
    return uploadFolder(this.#core, folder, params, options);
  }

  /** Upload up to 100 files in one request; each is accepted or refused by itself. */
  async uploadMany(
    files: FileUpload[],
    params: Pick<UploadOptions, "collection_name" | "metadata" | "on_page_error"> = {},
    options: RequestOptions = {},
  ): Promise<DocumentsAccepted> {
    const contents = await Promise.all(
      files.map(async ({ source, name }, index) => {
        const content = await contentOf(source);
        const known = name ?? content.name;
        if (!known) throw new TypeError(`Give file ${index} a name: bytes and streams have none`);
        return { field: "files", content, name: known };
      }),
    );
    return await this.#core.call("upsertDocuments", { form: formOf(fieldsOf(params), contents) }, options);
  }

  /** Upload a ZIP archive of up to 1,000 files, whose paths become the names of the documents. */
  async uploadArchive(
    archive: Source,
    params: Pick<UploadOptions, "collection_name" | "metadata" | "on_page_error"> = {},
    options: RequestOptions = {},
  ): Promise<DocumentsAccepted> {
    const content = await contentOf(archive);
    const form = formOf(fieldsOf(params), [{ field: "archive", content, name: content.name ?? "archive.zip" }]);
    return await this.#core.call("upsertDocuments", { form }, options);
  }

  /** List documents of a collection; `collection_name: "all"` for those of every collection. */
  list(params: Omit<QueryOf<"listDocuments">, "cursor"> = {}, options: RequestOptions = {}): List<Document> {
    return listOf(this.#core, "listDocuments", { query: params }, options);
  }

  get(name: string, params: QueryOf<"getDocument"> = {}, options: RequestOptions = {}): Promise<Document> {
    return this.#core.call("getDocument", { path: { document_name: name }, query: params }, options);
  }

  /** Change the name or the metadata of a document; `collection_name` says where it is. */
  update(name: string, changes: BodyOf<"updateDocument">, options: RequestOptions = {}): Promise<Document> {
    return this.#core.call("updateDocument", { path: { document_name: name }, body: changes }, options);
  }

  delete(name: string, params: InCollection = {}, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("deleteDocument", { path: { document_name: name }, query: inCollection(params) }, options);
  }

  /** Cancel processing. */
  cancel(name: string, params: InCollection = {}, options: RequestOptions = {}): Promise<Document> {
    return this.#core.call("cancelDocument", { path: { document_name: name }, query: inCollection(params) }, options);
  }

  /** Process a document again that failed or was cancelled. */
  retry(name: string, params: InCollection = {}, options: RequestOptions = {}): Promise<Document> {
    return this.#core.call("retryDocument", { path: { document_name: name }, query: inCollection(params) }, options);
  }

  /** Yield each state of the processing of a document, up to the last, across lost connections. */
  events(
    name: string,
    params: InCollection & { lastEventId?: string | undefined } = {},
    options: RequestOptions = {},
  ): AsyncGenerator<JobEvent> {
    return follow(this.#core, { name, ...params }, options, this.#core.patience(options));
  }

  /** Wait until a document can be searched; `ProcessingFailed` is thrown if it cannot. */
  wait(
    name: string,
    params: InCollection & Pick<UploadOptions, "onProgress"> = {},
    options: RequestOptions = {},
  ): Promise<Document> {
    const document = { name, collection_name: params.collection_name };
    return waitFor(this.#core, document, params.onProgress, options, this.#core.patience(options));
  }

  async #upserted(
    parts: { form: FormData } | { body: Upsert },
    name: string,
    params: UploadOptions,
    options: RequestOptions,
  ): Promise<Document | DocumentAccepted> {
    const patience = this.#core.patience(options);
    const accepted = await this.#core.call("upsertDocument", parts, options, patience);
    if (!params.wait) return accepted;
    const document = { name, collection_name: params.collection_name };
    return await waitFor(this.#core, document, params.onProgress, options, patience);
  }
}

/** Return the fields that are sent as they are. */
export function fieldsOf(params: UploadOptions): Record<string, unknown> {
  const { collection_name, metadata, on_page_error } = params;
  return { collection_name, metadata, on_page_error };
}
