// Writes dist: ES modules, and the same as CommonJS, each with its types.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TSC = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const FORMATS = {
  esm: { type: "module", flags: ["--module", "Node16", "--moduleResolution", "Node16"] },
  cjs: { type: "commonjs", flags: ["--module", "CommonJS", "--moduleResolution", "Node10"] },
};

rmSync(`${ROOT}/dist`, { recursive: true, force: true });
for (const [name, { type, flags }] of Object.entries(FORMATS)) {
  execFileSync(process.execPath, [TSC, "-p", "tsconfig.build.json", "--outDir", `dist/${name}`, ...flags], {
    cwd: ROOT,
    stdio: "inherit",
  });
  writeFileSync(`${ROOT}/dist/${name}/package.json`, `${JSON.stringify({ type })}\n`);
}
