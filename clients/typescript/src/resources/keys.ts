import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { BodyOf, Key, NewKey } from "../schemas.js";

/** API keys. A new key is shown only once. */
export class Keys {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  list(params: { limit?: number } = {}, options: RequestOptions = {}): List<Key> {
    return listOf(this.#core, "listKeys", { query: params }, options);
  }

  create(params: BodyOf<"createKey">, options: RequestOptions = {}): Promise<NewKey> {
    return this.#core.call("createKey", { body: params }, options);
  }

  /** Replace a key by a new one; both are valid for `overlap_hours`, 24 by default. */
  rotate(id: number, params: BodyOf<"rotateKey"> = {}, options: RequestOptions = {}): Promise<NewKey> {
    return this.#core.call("rotateKey", { path: { key_id: id }, body: params }, options);
  }

  /** Revoke a key immediately; with `{ with: "descendants" }` also those that it created, and so on. */
  revoke(id: number, params: { with?: "descendants" } = {}, options: RequestOptions = {}): Promise<void> {
    return this.#core.remove("revokeKey", { path: { key_id: id }, query: params }, options);
  }
}
