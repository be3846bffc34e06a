// What every page has: the theme, notices, and requests of scripts.

import { setUpDrafts } from "./drafts.js";

const THEMES = ["", "light", "dark"];
const LABELS = { "": "that of the system", light: "light", dark: "dark" };

const LIVE_MS = 10_000; // even with a stream, what is older is asked for again
const UNREACHABLE = "The server cannot be reached. Check the connection and try again.";
const RECONNECT_MS = 30_000; // after a refusal; a stream that breaks off is opened again by the browser

export const token = () => document.querySelector('meta[name="csrf-token"]').content;

/** Shows a sentence to the reader; errors stay until they are dismissed. */
export function notice(text, kind = "info") {
  for (const shown of document.querySelectorAll("#notices .notice")) {
    if (shown.dataset.text === text) return;  // a page that polls fails again and again
  }
  const line = document.createElement("p");
  line.dataset.text = text;
  line.className = `notice ${kind}`;
  line.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  close.addEventListener("click", () => line.remove());
  line.append(close);
  document.getElementById("notices").append(line);
  if (kind !== "error") setTimeout(() => line.remove(), 6000);
}

function reachedAgain() {
  for (const shown of document.querySelectorAll("#notices .notice")) if (shown.dataset.text === UNREACHABLE) shown.remove();
}

/** Returns the sentence for a response that failed. */
export async function sentence(response) {
  if (response.status === 401) return "You are signed out. Reload the page to sign in again; nothing is lost.";
  try {
    const problem = await response.json();
    return `${problem.detail} ${problem.advice ?? ""}`.trim();
  } catch {
    return `The server answered with status ${response.status}. Try again in a few seconds.`;
  }
}

/** Sends a request; returns the response, or throws an Error with a sentence for the reader. */
export async function send(url, options = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": token(), ...options.headers };
  let response;
  try {
    response = await fetch(url, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(UNREACHABLE);
  }
  if (!response.ok) throw new Error(await sentence(response));
  return response;
}

function setUpTheme() {
  const button = document.getElementById("theme");
  const show = () => {
    const theme = document.documentElement.dataset.theme ?? "";
    button.title = `Theme: ${LABELS[theme]}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    localStorage.setItem("theme", next);
    show();
    notice(`Theme: ${LABELS[next]}.`);
  });
  show();
}

function setUpCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.dataset.copy || document.getElementById(button.dataset.copyFrom).textContent;
    await navigator.clipboard.writeText(text);
    notice("Copied.");
  });
}

function setUpRequests() {
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
  });
  document.body.addEventListener("htmx:sendError", () => notice(UNREACHABLE, "error"));
  document.body.addEventListener("htmx:afterOnLoad", reachedAgain);
  window.addEventListener("offline", () => notice(UNREACHABLE, "error"));
  window.addEventListener("online", reachedAgain);
  document.body.addEventListener("htmx:responseError", async (event) => {
    const request = event.detail.xhr;
    // What polls stops when it will fail forever: the copy of an element has no timer.
    const { elt } = event.detail;
    if (elt.matches("[data-poll]") && request.status < 500 && request.status !== 429) elt.replaceWith(elt.cloneNode(true));
    notice(await sentence(new Response(request.responseText, { status: request.status })), "error");
  });
}

// Parts of the page that show what is being processed ask for themselves when the server says that it has changed.
// While there is no stream, because too many tabs are open or it broke off, they ask every few seconds.
function setUpLive() {
  const url = document.body.dataset.events;
  let stream = null;
  let isStale = false;
  let askedAt = 0;
  const isFresh = () => stream?.readyState === EventSource.OPEN && performance.now() - askedAt < LIVE_MS;
  const refresh = () => {
    // A part that is asking is replaced, and its replacement has missed the event, so it is sent again afterwards.
    if (!isStale || document.querySelector("[data-live].htmx-request")) return;
    isStale = false;
    document.body.dispatchEvent(new CustomEvent("account-changed"));
  };
  const update = () => {
    const isWanted = url && !document.hidden && document.querySelector("[data-live]");
    if (!isWanted) stream?.close();
    if (!isWanted || (stream && stream.readyState !== EventSource.CLOSED)) return;
    stream = new EventSource(url);
    stream.addEventListener("change", () => {
      isStale = true;
      refresh();
    });
  };
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.elt.matches("[data-live]")) return;
    const isTimed = !event.detail.requestConfig.triggeringEvent;
    if (isTimed && isFresh()) event.preventDefault();
    else askedAt = performance.now();
  });
  document.body.addEventListener("htmx:afterSettle", refresh);
  document.addEventListener("visibilitychange", update);
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", update);
  setInterval(update, RECONNECT_MS);
  update();
}

// The one open menu closes on Escape and on a click elsewhere.
function setUpMenus() {
  const close = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(null));
}

// A click on the question asks before something is lost.
function setUpQuestions() {
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.ask ?? event.target.dataset.ask;
    if (question && !window.confirm(question)) event.preventDefault();
  });
}

setUpTheme();
setUpCopying();
setUpRequests();
setUpLive();
setUpMenus();
setUpQuestions();
setUpDrafts(notice, "events" in document.body.dataset); // last, so that it sees whether a form is sent
