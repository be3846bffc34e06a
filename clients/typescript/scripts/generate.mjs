// Writes src/generated from docs/openapi.yaml; with --check, fails if the committed files differ.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { parse } from "yaml";

const DOCUMENT = new URL("../../../docs/openapi.yaml", import.meta.url);
const GENERATED = new URL("../src/generated/", import.meta.url);
const NOTICE = "// Written by `npm run generate` from docs/openapi.yaml; do not edit.\n";
const METHODS = ["get", "post", "put", "patch", "delete"];
const FILTER = "FilterInRequest";

/** Return the document without what a client does not need: examples, and the responses that are errors. */
function simplified(document) {
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const responses = path[method]?.responses ?? {};
      for (const status of Object.keys(responses)) {
        if (!status.startsWith("2")) delete responses[status];
        else delete responses[status].headers;
      }
    }
  }
  const schemas = document.components.schemas;
  const shared = { $ref: `#/components/schemas/${FILTER}` };
  const walk = (node, parent, key) => {
    if (Array.isArray(node)) return node.forEach((one, index) => walk(one, node, index));
    if (typeof node !== "object" || node === null) return;
    delete node.example;
    delete node.examples;
    if (parent !== schemas && node.properties?.lookup && node.properties.op && node.properties.and) {
      schemas[FILTER] ??= { ...structuredClone(node), nullable: undefined };
      parent[key] = node.nullable ? { allOf: [shared], nullable: true } : shared;
      return;
    }
    for (const [name, child] of Object.entries(node)) walk(child, node, name);
  };
  walk(document, null, null);
  const { properties } = schemas[FILTER];
  for (const name of ["and", "or"]) properties[name].items = shared;
  properties.not = shared;
  return document;
}

function operations(document) {
  const lines = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation) continue;
      const idempotent = (operation.parameters ?? []).some((one) => one.name === "Idempotency-Key");
      const fields = [`method: "${method.toUpperCase()}"`, `path: "${path}"`, `idempotencyKey: ${idempotent}`];
      lines.push(`  ${operation.operationId}: { ${fields.join(", ")} },`);
    }
  }
  return `${NOTICE}\nexport const OPERATIONS = {\n${lines.join("\n")}\n} as const;\n`;
}

const document = parse(await readFile(DOCUMENT, "utf8"));
const table = operations(document);
const types = astToString(await openapiTS(simplified(document), { defaultNonNullable: false, alphabetize: false }));
let outdated = false;
for (const [name, text] of Object.entries({ "openapi.ts": `${NOTICE}\n${types}`, "operations.ts": table })) {
  const file = new URL(name, GENERATED);
  if (!process.argv.includes("--check")) await writeFile(file, text);
  else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(`src/generated/${name} is outdated: run \`npm run generate\` in clients/typescript.`);
    outdated = true;
  }
}
process.exitCode = outdated ? 1 : 0;
