// Turns the OpenAPI document into a Postman collection and keeps of it one journey: a collection is made, a document put
// in, waited for, found by a search, and all of it deleted. Only the values are ours; the requests are the converter's.
"use strict";

const fs = require("node:fs");
const converter = require("openapi-to-postmanv2");

const [, , documentPath, samplePath, collectionPath] = process.argv;
const NAME = "postman";
const sample = fs.readFileSync(samplePath).toString("base64");

const JOURNEY = [
  { title: "Create a collection", body: { name: NAME }, test: "pm.response.to.have.status(201);" },
  {
    title: "Put a document into a collection",
    form: { name: "lighthouses", collection_name: NAME, base64: sample },
    test: "pm.response.to.have.status(202);",
  },
  {
    title: "Read one document and its state",
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
    title: "Search pages by a question in words, by a page, or by several things together",
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
    title: "Delete a collection with all its documents",
    path: { collection_name: NAME },
    test: "pm.response.to.have.status(204);",
  },
];

function flat(items) {
  return items.flatMap((item) => (item.item ? flat(item.item) : [item]));
}

function valued(list, values) {
  return list
    .filter((one) => one.key in values)
    .map((one) => ({ ...one, type: "text", value: values[one.key], disabled: false }));
}

function told(item, step) {
  const { request } = item;
  if (step.path) request.url.variable = valued(request.url.variable, step.path);
  request.url.query = valued(request.url.query, step.query ?? {});
  request.header = request.header.filter((one) => ["Accept", "Content-Type"].includes(one.key) && !one.disabled);
  if (step.form) {
    request.body.formdata = valued(request.body.formdata, step.form);
    request.header = request.header.filter((one) => one.key !== "Content-Type"); // with its boundary, by the sender
  }
  if (step.body) request.body.raw = JSON.stringify(step.body);
  const exec = [`pm.test(${JSON.stringify(step.title)}, () => {`, step.test, "});"];
  return { ...item, name: step.title, event: [{ listen: "test", script: { type: "text/javascript", exec } }] };
}

function kept(collection) {
  const items = flat(collection.item);
  return JOURNEY.map((step) => {
    const found = items.filter((item) => item.name === step.title);
    if (found.length !== 1) throw new Error(`${found.length} requests are called "${step.title}"`);
    return told(found[0], step);
  });
}

converter.convert(
  { type: "string", data: fs.readFileSync(documentPath, "utf8") },
  { folderStrategy: "Tags", requestParametersResolution: "Example" },
  (error, outcome) => {
    if (error || !outcome.result) throw error ?? new Error(outcome.reason);
    const collection = outcome.output[0].data;
    const count = flat(collection.item).length;
    fs.writeFileSync(collectionPath, JSON.stringify({ ...collection, item: kept(collection) }));
    console.log(`Postman's converter made ${count} requests of the document.`);
  },
);
