import { openFile } from "./files.js";

/** The content of a document: in memory, as a stream, a path of a file (where the runtime has files), or a `file:` URL. */
export type Source = Blob | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | string | URL;

/** Bytes that can be sent again if the first attempt fails. */
export interface Content {
  blob: Blob;
  name: string | undefined;
}

/** Return the content of a source. A stream is read to its end first, because the server needs the length beforehand. */
export async function contentOf(source: Source): Promise<Content> {
  if (typeof source === "string" && /^https?:\/\//i.test(source)) {
    throw new TypeError("A string is a path; use documents.uploadUrl for a document that the server is to fetch");
  }
  if (typeof source === "string" || (source instanceof URL && source.protocol === "file:")) return await openFile(source);
  if (source instanceof URL) throw new TypeError("Use documents.uploadUrl for a document that the server is to fetch");
  if (source instanceof Blob) return { blob: source, name: (source as { name?: string }).name };
  if (source instanceof ArrayBuffer) return { blob: new Blob([source]), name: undefined };
  if (ArrayBuffer.isView(source)) return { blob: new Blob([source as Uint8Array<ArrayBuffer>]), name: undefined };
  if (source instanceof ReadableStream) return { blob: await new Response(source).blob(), name: undefined };
  if (typeof (source as Partial<AsyncIterable<Uint8Array>>)?.[Symbol.asyncIterator] === "function") {
    const pieces: BlobPart[] = [];
    for await (const piece of source as AsyncIterable<Uint8Array<ArrayBuffer>>) pieces.push(piece.slice());
    return { blob: new Blob(pieces), name: undefined };
  }
  throw new TypeError("A document is a Blob, bytes, a stream, or a path");
}

/** Return the form of an upload. Values other than text are sent as JSON; absent ones are left out. */
export function formOf(fields: Record<string, unknown>, files: { field: string; content: Content; name: string }[]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  for (const { field, content, name } of files) form.append(field, content.blob, name);
  return form;
}

/** Return an image in base64, as queries need it. */
export async function base64Of(source: Source): Promise<string> {
  const { blob } = await contentOf(source);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

/** Return the bytes of base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
