// The search: images, parts, the filter builder, keys, and copying as code. Without it, the form works by itself.

import { notice, send } from "./shell.js";

const form = document.getElementById("search");
const box = document.getElementById("q");
const hits = () => document.getElementById("hits");

// --- Images: reduced here, kept by this tab under a name that the URL has ------------------------------------------

const MAX_SIDE = 1280;

async function reduced(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85).split(",")[1];
}

function remember(base64) {
  const name = `image-${Date.now().toString(36)}`;
  try {
    const older = Object.keys(sessionStorage).filter((key) => key.startsWith("image-")).sort();
    while (older.length > 8) sessionStorage.removeItem(older.shift());
    sessionStorage.setItem(name, base64);
  } catch {
    sessionStorage.clear();
    sessionStorage.setItem(name, base64);
  }
  return name;
}

async function searchByImage(file) {
  if (!file?.type.startsWith("image/")) return notice("Only images can be dropped into the query.", "error");
  let base64;
  try {
    base64 = await reduced(file);
  } catch {
    return notice("The browser cannot read this image. Try a PNG or JPEG.", "error");
  }
  const params = new URLSearchParams(new FormData(form));
  params.set("image", remember(base64));
  location.assign(`${form.action}?${params}`);
}

async function sendWaitingImage() {
  const name = hits()?.dataset.waitsForImage;
  if (!name) return;
  const base64 = sessionStorage.getItem(name);
  if (!base64) {
    document.getElementById("image-status").textContent =
      "The image of this search was in another tab. Drop it here again.";
    return;
  }
  const preview = document.getElementById("image-preview");
  if (preview) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    preview.src = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    preview.hidden = false;
  }
  try {
    const response = await send(form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ params: location.search.slice(1), image: base64 }),
    });
    hits().outerHTML = await response.text();
  } catch (error) {
    document.getElementById("image-status").textContent = error.message;
  }
}

function setUpImages() {
  const choose = document.getElementById("choose-image");
  choose.hidden = false;
  const input = document.getElementById("image-file");
  input.addEventListener("change", () => searchByImage(input.files[0]));
  const drop = document.getElementById("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) searchByImage(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
    if (file) searchByImage(file);
  });
}

// --- Parts of the query ---------------------------------------------------------------------------------------------

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove-part]");
  if (!button) return;
  button.closest(".chip").remove();
  form.requestSubmit();
});

// Fields at their default are left out of the URL.
document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt !== form) return;
  const { parameters } = event.detail;
  for (const [name, value] of Object.entries(parameters)) if (value === "" || value === "auto") delete parameters[name];
  if (parameters.image) {
    // The answer needs the image, which only a page that is loaded sends.
    event.preventDefault();
    location.assign(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  }
});

// --- The filter builder ---------------------------------------------------------------------------------------------

const OPERATORS = [
  ["eq", "is"], ["ne", "is not"], ["gt", "greater than"], ["gte", "at least"], ["lt", "less than"], ["lte", "at most"],
  ["contains", "contains"], ["starts_with", "starts with"], ["ends_with", "ends with"], ["exists", "exists"],
];

function readable(text) {
  if (!text.trim()) return { conditions: [] };
  try {
    const filter = JSON.parse(text);
    const conditions = Array.isArray(filter.and) ? filter.and : [filter];
    const simple = conditions.every((each) =>
      typeof each.key === "string" && OPERATORS.some(([name]) => name === each.op) && typeof each.value !== "object" &&
      Object.keys(each).every((name) => ["key", "op", "value"].includes(name)));
    return simple ? { conditions } : null;
  } catch {
    return null;
  }
}

const typed = (text) => {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? text : value;
  } catch {
    return text;
  }
};

function setUpFilter() {
  const rows = document.getElementById("filter-rows");
  const json = document.getElementById("filter");

  const write = () => {
    const conditions = [...rows.querySelectorAll(".filter-row")].map((row) => {
      const [key, op, value] = row.querySelectorAll("input, select");
      value.hidden = op.value === "exists";
      return op.value === "exists" ? { key: key.value, op: op.value } : { key: key.value, op: op.value, value: typed(value.value) };
    }).filter((each) => each.key);
    json.value = conditions.length ? JSON.stringify(conditions.length === 1 ? conditions[0] : { and: conditions }) : "";
  };

  const element = (tag, properties, ...children) => {
    const one = Object.assign(document.createElement(tag), properties);
    one.append(...children);
    return one;
  };

  const add = ({ key = "", op = "eq", value = "" } = {}) => {
    const name = element("input", { value: key, placeholder: "key", ariaLabel: "Key of the metadata" });
    const operator = element("select", { ariaLabel: "Comparison" },
      ...OPERATORS.map(([id, label]) => element("option", { value: id, textContent: label, selected: id === op })));
    const operand = element("input", { value: String(value), placeholder: "value", ariaLabel: "Value", hidden: op === "exists" });
    const remove = element("button", { type: "button", className: "icon", textContent: "×", ariaLabel: "Remove this condition" });
    const row = element("div", { className: "filter-row" }, name, operator, operand, remove);
    remove.addEventListener("click", () => { row.remove(); write(); });
    row.addEventListener("input", write);
    rows.insertBefore(row, more);
    return name;
  };

  const more = element("button", { type: "button", className: "button small", textContent: "Add a condition" });
  more.addEventListener("click", () => add().focus());

  const draw = () => {
    const state = readable(json.value);
    rows.replaceChildren(more);
    rows.hidden = state === null;
    state?.conditions.forEach(add);
  };
  json.addEventListener("input", () => {
    let valid = true;
    try { if (json.value.trim()) JSON.parse(json.value); } catch { valid = false; }
    json.setCustomValidity(valid ? "" : "This is not JSON yet.");
    draw();
  });
  draw();
}

// --- Keys -----------------------------------------------------------------------------------------------------------

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape" && event.target === box) {
      box.blur();
    } else if (["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"].includes(event.key) && (!typing || (event.target === box && event.key === "ArrowDown"))) {
      const all = [...document.querySelectorAll("[data-hit]")];
      if (!all.length) return;
      const now = all.indexOf(document.activeElement);
      const step = event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 1;
      event.preventDefault();
      if (now === 0 && step === -1) return box.focus();
      all[Math.max(0, Math.min(all.length - 1, now + step))].focus();
    }
  });
}

// --- Copying as code ------------------------------------------------------------------------------------------------

/** Writes a value as a Python literal; of JSON, only three words differ. */
function pythonic(value, indent = "    ") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const lines = Array.isArray(value)
    ? value.map((each) => pythonic(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${pythonic(each, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return lines.length ? `${open}\n${lines.map((line) => `${inner}${line},`).join("\n")}\n${indent}${close}` : open + close;
}

function code(kind, body) {
  const url = `${location.origin}/v1/search/`;
  if (kind === "curl") {
    const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
    return `curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\\n  -d '${quoted}' \\\n  ${url}\n`;
  }
  if (kind === "python") {
    return `import os\n\nimport httpx\n\nresponse = httpx.post(\n    "${url}",\n    headers={"Authorization": f"Bearer {os.environ['KEY']}"},\n    json=${pythonic(body)},\n)\nfor hit in response.raise_for_status().json()["results"]:\n    print(hit["document_name"], hit["page_number"], hit["normalized_score"])\n`;
  }
  return `const response = await fetch("${url}", {\n  method: "POST",\n  headers: { Authorization: \`Bearer \${process.env.KEY}\`, "Content-Type": "application/json" },\n  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),\n});\nconst { results } = await response.json();\n`;
}

document.addEventListener("click", async (event) => {
  const kind = event.target.closest("[data-copy-as]")?.dataset.copyAs;
  if (!kind) return;
  const body = { ...JSON.parse(document.getElementById("copy-as").dataset.body), images: "url" };
  await navigator.clipboard.writeText(code(kind, body));
  notice("Copied. Put a key into the variable KEY.");
  event.target.closest("details").open = false;
});

setUpImages();
setUpFilter();
setUpKeys();
sendWaitingImage();
