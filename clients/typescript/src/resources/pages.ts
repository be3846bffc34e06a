import type { Core } from "../core.js";
import { ConnectionFailed, InvalidResponse, NotFound } from "../errors.js";
import type { RequestOptions } from "../options.js";
import type { Hit, Page } from "../schemas.js";
import { bytesOf } from "../sources.js";
import type { Answer } from "../transport.js";

export interface InCollection {
  /** Default: `default_collection`. */
  collection_name?: string | undefined;
}

/** Pages of documents, and their images. */
export class Pages {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Return a page with its text and links to its images. */
  get(documentName: string, pageNumber: number, params: InCollection = {}, options: RequestOptions = {}): Promise<Page> {
    const path = { document_name: documentName, page_number: pageNumber };
    return this.#core.call("getPage", { path, query: query(params) }, options);
  }

  async image(documentName: string, pageNumber: number, params: InCollection = {}, options: RequestOptions = {}): Promise<Blob> {
    const path = { document_name: documentName, page_number: pageNumber };
    const parts = { path, query: query(params), accept: "image/*" };
    return blobOf(await this.#core.answer("getPageImage", parts, options));
  }

  /** Return the image of a hit: from itself, from its link, or from the server if the link has expired or leads nowhere. */
  async imageOf(hit: Hit, options: RequestOptions = {}): Promise<Blob> {
    if (hit.img_base64) {
      const bytes = bytesOf(hit.img_base64);
      return new Blob([bytes], { type: bytes[0] === 0x89 ? "image/png" : "image/jpeg" });
    }
    const stored = () => this.image(hit.document_name, hit.page_number, { collection_name: hit.collection_name }, options);
    if (!hit.image_url) return await stored();
    try {
      return await this.download(hit.image_url, { maxRetries: 1, ...options });
    } catch (error) {
      const isLost = error instanceof ConnectionFailed || error instanceof InvalidResponse || error instanceof NotFound;
      if (!isLost) throw error;
      return await stored().catch(() => {
        throw error; // a key that may only search cannot read pages
      });
    }
  }

  /** Get what a signed link leads to: a page image, a thumbnail, or the file of a document. The key is not sent. */
  async download(link: string, options: RequestOptions = {}): Promise<Blob> {
    return blobOf(await this.#core.download(link, options));
  }
}

function query(params: InCollection): { collection_name?: string } {
  return params.collection_name === undefined ? {} : { collection_name: params.collection_name };
}

function blobOf(answer: Answer): Blob {
  if (answer.body.byteLength === 0) throw new InvalidResponse("The answer has no content.");
  return new Blob([answer.body], { type: answer.headers.get("content-type") ?? "application/octet-stream" });
}
