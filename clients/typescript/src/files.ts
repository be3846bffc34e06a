/** Access to files, where the runtime has `node:fs` (Node, Deno, Bun). The names are variables, so that bundlers for browsers skip them. */

type FileSystem = typeof import("node:fs");
type Paths = typeof import("node:path");

interface Modules {
  fs: FileSystem;
  path: Paths;
}

async function modules(): Promise<Modules> {
  const names = { fs: "node:fs", path: "node:path" };
  try {
    const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ names.fs)) as FileSystem;
    const path = (await import(/* @vite-ignore */ /* webpackIgnore: true */ names.path)) as Paths;
    return { fs, path };
  } catch (error) {
    throw new TypeError("This runtime has no files; pass a Blob or bytes instead of a path", { cause: error });
  }
}

/** Return the file as a Blob whose bytes are read as they are sent, and its name. */
export async function openFile(file: string | URL): Promise<{ blob: Blob; name: string }> {
  const { fs, path } = await modules();
  const name = path.basename(typeof file === "string" ? file : decodeURIComponent(file.pathname));
  if (!(await fs.promises.stat(file)).isFile()) throw new TypeError(`Not a file: ${String(file)}`);
  if (typeof fs.openAsBlob === "function") return { blob: await fs.openAsBlob(file), name };
  return { blob: new Blob([await fs.promises.readFile(file)]), name };
}

export interface FolderFile {
  path: string;
  /** Path below the folder, with slashes on every system. */
  name: string;
  size: number;
}

/** Return the files below a folder, sorted by name; hidden ones and symbolic links are left out. */
export async function filesBelow(folder: string): Promise<FolderFile[]> {
  const { fs, path } = await modules();
  const found: FolderFile[] = [];
  const pending = [folder];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    for (const entry of await fs.promises.readdir(current, { withFileTypes: true })) {
      const full = path.join(current, entry.name);
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) pending.push(full);
      if (!entry.isFile()) continue;
      const name = path.relative(folder, full).split(path.sep).join("/");
      found.push({ path: full, name, size: (await fs.promises.stat(full)).size });
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Return the SHA-256 of a file in hexadecimal digits, without holding it in memory. */
export async function sha256Of(file: string): Promise<string> {
  const { fs } = await modules();
  const name = "node:crypto";
  const crypto = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof import("node:crypto");
  const hash = crypto.createHash("sha256");
  for await (const piece of fs.createReadStream(file)) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
