import type { Core, Parts } from "./core.js";
import { InvalidResponse } from "./errors.js";
import type { RequestOptions } from "./options.js";
import type { OperationId, RowOf } from "./schemas.js";

/** The rows of a list. Pages of it are requested as the iteration reaches them: `for await (const row of list)`. */
export class List<Row> implements AsyncIterable<Row> {
  readonly #fetch: (cursor: string | undefined) => Promise<{ rows: Row[]; next: string | undefined }>;

  constructor(fetch: (cursor: string | undefined) => Promise<{ rows: Row[]; next: string | undefined }>) {
    this.#fetch = fetch;
  }

  /** Yield the pages of the list, each an array of rows. */
  async *pages(): AsyncGenerator<Row[], void, undefined> {
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const { rows, next } = await this.#fetch(cursor);
      yield rows;
      if (next !== undefined && seen.has(next)) throw new InvalidResponse("The pages of the list lead in a circle.");
      if (next !== undefined) seen.add(next);
      cursor = next;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const rows of this.pages()) yield* rows;
  }

  /** Return all rows, or the first so many. */
  async all(limit = Infinity): Promise<Row[]> {
    const found: Row[] = [];
    if (limit <= 0) return found;
    for await (const row of this) {
      found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }
}

const ROWS_PER_PAGE = 250;

/** Return the list of an operation that has `limit` and `cursor`. */
export function listOf<Id extends OperationId>(core: Core, id: Id, parts: Parts<Id>, options: RequestOptions): List<RowOf<Id>> {
  return new List((cursor) => {
    const query = { limit: ROWS_PER_PAGE, ...parts.query, ...(cursor === undefined ? {} : { cursor }) };
    return core.page(id, { ...parts, query } as Parts<Id>, options);
  });
}
