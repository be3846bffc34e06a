import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The journey uses the package as it is installed elsewhere, or the sources.
const client = process.env.PALIAPI_CLIENT ?? fileURLToPath(new URL("src/index.ts", import.meta.url));

export default defineConfig({
  resolve: { alias: { "@paliapi/client": client } },
  test: { pool: "threads", poolOptions: { threads: { maxThreads: 2 } }, testTimeout: 120_000, hookTimeout: 120_000 },
});
