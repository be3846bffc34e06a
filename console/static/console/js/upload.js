// Uploads: files and folders that are dropped, pasted or chosen, a few at a time, with their bytes and in total.

import { notice, token } from "./shell.js";

const AT_ONCE = 3;
const MAX_LINES = 100; // of those that failed; the total counts all
const PAUSES_S = [1, 2, 5, 10, 30];
const HIDDEN = /^(\..*|Thumbs\.db|desktop\.ini|__MACOSX)$/i;

const panel = document.getElementById("upload");
const list = document.getElementById("upload-list");
const collection = () => document.getElementById("collection-name").value;

const jobs = []; // waiting
const failed = [];
let active = 0;
let totals = { files: 0, done: 0, bytes: 0, sent: 0 };

const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)} MB`;
const later = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Sends a file once; resolves with the status, the parsed body, and the seconds after which to try again. */
function put(url, fields, progress) {
  return new Promise((resolve) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch { /* a proxy answers in HTML */ }
      resolve({ status: request.status, answer, retryAfter: Number(request.getResponseHeader("Retry-After")) || 0 });
    });
    request.addEventListener("error", () => resolve({ status: 0, answer: {}, retryAfter: 0 }));
    request.send(body);
  });
}

function reason({ status, answer }) {
  if (status === 0) return "The connection was lost while it was sent. Retry when the server can be reached.";
  if (status === 401) return "You are signed out. Sign in again in another tab, then retry here; nothing is lost.";
  const errors = (answer.errors ?? []).map((each) => each.detail).filter((detail) => detail !== answer.detail);
  return [answer.detail ?? `The server answered with status ${status}.`, ...errors.slice(0, 3), answer.advice ?? ""].join(" ").trim();
}

/** Sends a file, again after a pause if the server is busy; returns its last response. */
async function sendPatiently(url, fields, progress, say = () => {}) {
  for (let tries = 0; ; tries += 1) {
    const response = await put(url, fields, progress);
    // Without a time to wait, a limit is reached for good, such as a quota.
    const isBusy = response.status === 503 || (response.status === 429 && response.retryAfter > 0);
    if (!isBusy || tries === PAUSES_S.length) return response;
    const pause = Math.min(Math.max(response.retryAfter, PAUSES_S[tries]), 60);
    say(`${response.answer.detail ?? "The server is busy."} It is sent again in ${pause} s.`);
    await later(pause);
    say("");
  }
}

function lineOf(name) {
  const line = document.createElement("li");
  const label = document.createElement("bdi");
  label.className = "clip";
  label.textContent = name;
  label.title = name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Sent of ${name}`);
  const text = document.createElement("span");
  text.className = "error";
  line.append(label, bar, text);
  return { line, bar, say: (sentence) => { text.textContent = sentence; } };
}

function showTotals() {
  const isOver = active === 0 && jobs.length === 0;
  document.getElementById("upload-total").hidden = totals.files === 0;
  const bar = document.getElementById("upload-bytes");
  bar.max = Math.max(totals.bytes, 1);
  bar.value = Math.min(totals.sent, totals.bytes);
  const failures = failed.length ? ` ${failed.length} failed.` : "";
  document.getElementById("upload-summary").textContent = isOver
    ? `${totals.done} of ${totals.files} files are stored and will be processed, also if you leave this page.${failures}`
    : `${totals.done} of ${totals.files} files, ${megabytes(totals.sent)} of ${megabytes(totals.bytes)} sent.${failures} Stay on this page until all are sent.`;
  document.getElementById("upload-retry").hidden = !isOver || failed.length === 0;
}

async function run(job) {
  const { line, bar, say } = lineOf(job.name);
  list.append(line);
  let sent = 0;
  const response = await sendPatiently(
    panel.dataset.url,
    { collection_name: job.collection, name: job.name, file: job.file },
    (loaded, total) => {
      bar.value = total ? loaded / total : 0;
      const now = Math.min(job.file.size, loaded);
      totals.sent += now - sent;
      sent = now;
      showTotals();
    },
    say,
  );
  totals.sent += (response.status === 202 ? job.file.size : 0) - sent;
  if (response.status === 202) {
    totals.done += 1;
    line.remove();
    document.body.dispatchEvent(new CustomEvent("uploaded"));
    showWhere(job.collection);
  } else {
    failed.push({ job, line });
    totals.bytes -= job.file.size;
    bar.remove();
    say(reason(response));
    if (failed.length > MAX_LINES) line.remove();
  }
}

function showWhere(name) {
  const link = document.getElementById("to-collection");
  if (!link) return;
  link.href = `${link.dataset.base}?${new URLSearchParams({ collection: name })}`;
  document.getElementById("uploaded").hidden = false;
}

function start() {
  while (active < AT_ONCE && jobs.length) {
    active += 1;
    run(jobs.shift()).finally(() => {
      active -= 1;
      showTotals();
      start();
    });
  }
  showTotals();
}

function add(files) {
  const into = collection().trim();
  if (!into) return notice("Name the collection first.", "error");
  if (active === 0 && jobs.length === 0 && failed.length === 0) totals = { files: 0, done: 0, bytes: 0, sent: 0 };
  for (const { file, name } of files) {
    jobs.push({ file, name, collection: into });
    totals.files += 1;
    totals.bytes += file.size;
  }
  start();
}

function retry() {
  for (const { job, line } of failed.splice(0)) {
    line.remove();
    jobs.push(job);
    totals.bytes += job.file.size;
  }
  start();
}

// --- Where files come from ------------------------------------------------------------------------------------------

const fromInput = (files) =>
  [...files]
    .map((file) => ({ file, name: file.webkitRelativePath || file.name }))
    .filter(({ name }) => !name.split("/").some((part) => HIDDEN.test(part)));

async function fromEntry(entry, found, path = "") {
  if (HIDDEN.test(entry.name)) return;
  const name = path + entry.name;
  if (entry.isFile) {
    found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), name });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader returns a hundred entries at a time
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    for (const each of entries) await fromEntry(each, found, `${name}/`);
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return fromInput(transfer.files);
  const found = [];
  for (const entry of entries) {
    try {
      await fromEntry(entry, found);
    } catch {
      notice(`“${entry.name}” cannot be read. Check that it still exists, then drop it again.`, "error");
    }
  }
  return found;
}

function pasted(files) {
  const now = new Date().toISOString().slice(0, 19).replaceAll(":", ".").replace("T", " ");
  // A screenshot in the clipboard has the same name every time.
  return [...files].map((file, index) => ({
    file,
    name: file.name && file.name !== "image.png" ? file.name : `pasted ${now}${index ? ` ${index + 1}` : ""}.png`,
  }));
}

function setUpPanel() {
  const files = document.getElementById("files");
  const folder = document.getElementById("folder");
  document.getElementById("choose").hidden = false;
  document.getElementById("choose-files").addEventListener("click", () => files.click());
  document.getElementById("choose-folder").addEventListener("click", () => folder.click());
  for (const input of [files, folder]) {
    input.addEventListener("change", () => {
      add(fromInput(input.files));
      input.value = "";
    });
  }
  document.getElementById("upload-retry").addEventListener("click", retry);
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    panel.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || panel.classList.remove("over"));
  document.addEventListener("drop", async (event) => {
    panel.classList.remove("over");
    if (!hasFiles(event)) return;
    event.preventDefault();
    add(await dropped(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    add(pasted(event.clipboardData.files));
  });
  window.addEventListener("beforeunload", (event) => {
    if (active || jobs.length) event.preventDefault();
  });
  document.getElementById("from-url").addEventListener("submit", (event) => {
    event.target.querySelector("[data-collection]").value = collection();
  });
  const url = document.getElementById("url");
  url.addEventListener("change", () => {
    const name = document.getElementById("url-name");
    if (!name.value && URL.canParse(url.value)) name.value = decodeName(new URL(url.value).pathname.split("/").pop());
  });
}

function decodeName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function setUpReplacement(box) {
  box.hidden = false;
  const input = document.getElementById("replacement");
  const bar = document.getElementById("replacement-bytes");
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    bar.hidden = false;
    input.disabled = true;
    const { collection: into, name, metadata } = box.dataset;
    const fields = { collection_name: into, name, metadata, file: input.files[0] };
    const response = await sendPatiently(box.dataset.url, fields, (loaded, total) => { bar.value = loaded / total; });
    if (response.status === 202) return location.assign(response.answer.url);
    notice(reason(response), "error");
    bar.hidden = true;
    input.disabled = false;
    input.value = "";
  });
}

const replacement = document.getElementById("replace");
if (panel) setUpPanel();
if (replacement) setUpReplacement(replacement);
