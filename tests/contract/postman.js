// Converts the OpenAPI document to a Postman collection and reduces it to one journey: create a collection, upload a
// document, poll until it is ready, find it by a search, and delete both. Only the values are written here; the requests
// are the converter's.
"use strict";

const fs = require("node:fs");
const converter = require("openapi-to-postmanv2");

const [, , documentPath, samplePath, collectionPath] = process.argv;
const NAME = "postman";
const sample = fs.readFileSync(samplePath).toString("base64");

const JOURNEY = [
  { title: "Create a collection", body: { name: NAME }, test: "pm.response.to.have.status(201);" },
  {
    title: "Upload a document",
    form: { name: "lighthouses", collection_name: NAME, base64: sample },
    test: "pm.response.to.have.status(202);",
  },
  {
    title: "Get a document and its state",
    path: { document_name: "lighthouses" },
    query: { collection_name: NAME },
    test: `
      pm.response.to.have.status(200);
      const { status } = pm.response.json();
      pm.expect(status).to.not.be.oneOf(["failed", "cancelled"]);
      const tries = Number(pm.variables.get("tries") || 0) + 1;
      pm.variables.set("tries", tries);
      pm.expect(tries).to.be.below(200);
      if (status !== "ready") pm.execution.setNextRequest(pm.info.requestName);`,
  },
  {
    title: "Search pages",
    body: { query: "How far is a light seen that stands 40 metres high?", collection_name: NAME },
    test: `
      pm.response.to.have.status(200);
      const [best] = pm.response.json().results;
      pm.expect(best.document_name).to.equal("lighthouses");
      pm.expect(best.img_base64).to.be.a("string").that.is.not.empty;`,
  },
  {
    title: "Delete a document",
    path: { document_name: "lighthouses" },
    query: { collection_name: NAME },
    test: "pm.response.to.have.status(204);",
  },
  {
    title: "Delete a collection and its documents",
    path: { collection_name: NAME },
    test: "pm.response.to.have.status(204);",
  },
];

function flat(items) {
  return items.flatMap((item) => (item.item ? flat(item.item) : [item]));
}

function withValues(list, values) {
  return list
    .filter((field) => field.key in values)
    .map((field) => ({ ...field, type: "text", value: values[field.key], disabled: false }));
}

function requestOf(item, step) {
  const { request } = item;
  if (step.path) request.url.variable = withValues(request.url.variable, step.path);
  request.url.query = withValues(request.url.query, step.query ?? {});
  request.header = request.header.filter(({ key, disabled }) => ["Accept", "Content-Type"].includes(key) && !disabled);
  if (step.form) {
    request.body.formdata = withValues(request.body.formdata, step.form);
    request.header = request.header.filter(({ key }) => key !== "Content-Type"); // the sender adds it, with a boundary
  }
  if (step.body) request.body.raw = JSON.stringify(step.body);
  const exec = [`pm.test(${JSON.stringify(step.title)}, () => {`, step.test, "});"];
  return { ...item, name: step.title, event: [{ listen: "test", script: { type: "text/javascript", exec } }] };
}

function journeyOf(collection) {
  const items = flat(collection.item);
  return JOURNEY.map((step) => {
    const matches = items.filter((item) => item.name === step.title);
    if (matches.length !== 1) throw new Error(`${matches.length} requests are titled "${step.title}"`);
    return requestOf(matches[0], step);
  });
}

converter.convert(
  { type: "string", data: fs.readFileSync(documentPath, "utf8") },
  { folderStrategy: "Tags", requestParametersResolution: "Example" },
  (error, outcome) => {
    if (error || !outcome.result) throw error ?? new Error(outcome.reason);
    const collection = outcome.output[0].data;
    const count = flat(collection.item).length;
    fs.writeFileSync(collectionPath, JSON.stringify({ ...collection, item: journeyOf(collection) }));
    console.log(`Postman's converter created ${count} requests from the document.`);
  },
);
