import { Core } from "./core.js";
import { List, listOf } from "./list.js";
import type { ClientOptions, RequestOptions } from "./options.js";
import { Collections } from "./resources/collections.js";
import { Documents } from "./resources/documents.js";
import { Evaluations } from "./resources/evaluations.js";
import { Jobs } from "./resources/jobs.js";
import { Keys } from "./resources/keys.js";
import { Pages } from "./resources/pages.js";
import { Webhooks } from "./resources/webhooks.js";
import { base64Of, contentOf, formOf } from "./sources.js";
import type { Source } from "./sources.js";
import type * as s from "./schemas.js";

/** A client of PaliAPI. It holds no connection; one instance serves any number of concurrent calls. */
export class Client {
  readonly #core: Core;
  readonly collections: Collections;
  readonly documents: Documents;
  readonly pages: Pages;
  readonly jobs: Jobs;
  readonly keys: Keys;
  readonly webhooks: Webhooks;
  readonly evaluations: Evaluations;

  constructor(options: ClientOptions = {}) {
    const core = new Core(options);
    this.#core = core;
    this.collections = new Collections(core);
    this.documents = new Documents(core);
    this.pages = new Pages(core);
    this.jobs = new Jobs(core);
    this.keys = new Keys(core);
    this.webhooks = new Webhooks(core);
    this.evaluations = new Evaluations(core);
  }

  /** Return the address of the server. */
  get baseUrl(): string {
    return this.#core.baseUrl;
  }

  /**
   * Return the pages that answer a question best: `search("How far is a light seen?", { collection_name: "reports" })`,
   * a list of weighted parts, or a whole request, to search by a stored page or a part of one: `search({ page: ... })`.
   */
  search(
    query: string | s.QueryPart[] | s.SearchRequest,
    params: Omit<s.SearchRequest, "query"> = {},
    options: RequestOptions = {},
  ): Promise<s.SearchResult> {
    const body = typeof query === "string" || Array.isArray(query) ? { ...params, query } : { ...params, ...query };
    return this.#core.call("search", { body }, options);
  }

  /** Return the pages that are most like an image. */
  async searchImage(
    image: Source,
    params: Omit<s.SearchImageRequest, "img_base64"> = {},
    options: RequestOptions = {},
  ): Promise<s.SearchImageResult> {
    const body = { ...params, img_base64: await base64Of(image) };
    return await this.#core.call("searchImage", { body }, options);
  }

  /** List the documents that a filter selects by metadata. */
  filter(filter: s.Filter, params?: Omit<s.QueryOf<"filter">, "cursor">, options?: RequestOptions): List<s.Document>;
  /** List the collections that a filter selects by metadata, with `on: "collection"`. */
  filter(
    filter: s.Filter & { on: "collection" },
    params?: Omit<s.QueryOf<"filter">, "cursor">,
    options?: RequestOptions,
  ): List<s.Collection>;
  filter(
    filter: s.Filter,
    params: Omit<s.QueryOf<"filter">, "cursor"> = {},
    options: RequestOptions = {},
  ): List<s.Document> | List<s.Collection> {
    return listOf(this.#core, "filter", { body: filter, query: params }, options) as List<s.Document>;
  }

  /** Return the multi-vectors of texts, or of images in base64. */
  embeddings(
    task: s.BodyOf<"createEmbeddings">["task"],
    inputs: string[],
    options: RequestOptions = {},
  ): Promise<s.Embeddings> {
    return this.#core.call("createEmbeddings", { body: { task, input_data: inputs } }, options);
  }

  /** Return usage and quotas. */
  usage(options: RequestOptions = {}): Promise<s.Usage> {
    return this.#core.call("getUsage", {}, options);
  }

  /** Return what the key may do. */
  me(options: RequestOptions = {}): Promise<s.Me> {
    return this.#core.call("getMe", {}, options);
  }

  health(options: RequestOptions = {}): Promise<s.Health> {
    return this.#core.call("getHealth", {}, options);
  }

  /** Convert a file to images of its pages, in base64, without storing it. */
  async fileToImages(file: Source, params: { name?: string } = {}, options: RequestOptions = {}): Promise<s.AnswerOf<"fileToImages">> {
    return await this.#core.call("fileToImages", { form: await fileForm(file, params) }, options);
  }

  /** Convert a file to base64. */
  async fileToBase64(file: Source, params: { name?: string } = {}, options: RequestOptions = {}): Promise<s.AnswerOf<"fileToBase64">> {
    return await this.#core.call("fileToBase64", { form: await fileForm(file, params) }, options);
  }
}

async function fileForm(file: Source, params: { name?: string }): Promise<FormData> {
  const content = await contentOf(file);
  return formOf({}, [{ field: "file", content, name: params.name ?? content.name ?? "file" }]);
}
