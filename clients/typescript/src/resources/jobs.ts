import type { Core } from "../core.js";
import { listOf } from "../list.js";
import type { List } from "../list.js";
import type { RequestOptions } from "../options.js";
import type { Job, Progress, QueryOf } from "../schemas.js";

/** Uploads in progress, and those that failed or were cancelled. */
export class Jobs {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  list(params: Omit<QueryOf<"listJobs">, "cursor"> = {}, options: RequestOptions = {}): List<Job> {
    return listOf(this.#core, "listJobs", { query: params }, options);
  }

  /** Return how much is left to process, and how long it will take. */
  progress(options: RequestOptions = {}): Promise<Progress> {
    return this.#core.call("getProgress", {}, options);
  }
}
