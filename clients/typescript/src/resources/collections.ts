import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { BodyOf, Collection, CollectionChange, Quality } from "../schemas.js";

/** Documents that are searched together. */
export class Collections {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  list(params: { limit?: number } = {}, options: RequestOptions = {}): List<Collection> {
    return listOf(this.#core, "listCollections", { query: params }, options);
  }

  create(name: string, params: Omit<BodyOf<"createCollection">, "name"> = {}, options: RequestOptions = {}): Promise<Collection> {
    return this.#core.call("createCollection", { body: { ...params, name } }, options);
  }

  get(name: string, options: RequestOptions = {}): Promise<Collection> {
    return this.#core.call("getCollection", { path: { collection_name: name } }, options);
  }

  update(name: string, changes: CollectionChange, options: RequestOptions = {}): Promise<Collection> {
    return this.#core.call("updateCollection", { path: { collection_name: name }, body: changes }, options);
  }

  /** Delete a collection and all its documents. */
  delete(name: string, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("deleteCollection", { path: { collection_name: name } }, options);
  }

  /** Return the recall of recent searches of a collection. */
  quality(name: string, options: RequestOptions = {}): Promise<Quality> {
    return this.#core.call("getCollectionQuality", { path: { collection_name: name } }, options);
  }
}
