// A page, large: zoom and pan, selectable text, heat maps, and drawing a box to search by that part.

import { notice, send } from "./shell.js";

const viewer = document.getElementById("viewer");
const stage = document.getElementById("stage");
const paper = document.getElementById("paper");
const image = paper.querySelector("img");
const content = (id) => JSON.parse(document.getElementById(id).textContent);
const WIDTH = Number(image.getAttribute("width"));
const HEIGHT = Number(image.getAttribute("height"));

// --- Zoom and pan ---------------------------------------------------------------------------------------------------

const MIN_ZOOM = 0.1, MAX_ZOOM = 8;
let zoom = 1;

const fitting = () => Math.min((stage.clientWidth - 32) / WIDTH, Math.max((stage.clientHeight - 32) / HEIGHT, 0.3 * (stage.clientWidth - 32) / WIDTH), 2);

/** Sets the zoom, and keeps the point of the page at (x, y) of the stage where it is. */
function setZoom(value, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const next = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, value));
  const left = (stage.scrollLeft + x - paper.offsetLeft) / zoom, top = (stage.scrollTop + y - paper.offsetTop) / zoom;
  zoom = next;
  paper.style.width = `${WIDTH * zoom}px`;
  paper.style.height = `${HEIGHT * zoom}px`;
  stage.scrollLeft = left * zoom + paper.offsetLeft - x;
  stage.scrollTop = top * zoom + paper.offsetTop - y;
  layOutWords();
}

function setUpZoom() {
  document.getElementById("zoom-in").addEventListener("click", () => setZoom(zoom * 1.25));
  document.getElementById("zoom-out").addEventListener("click", () => setZoom(zoom / 1.25));
  document.getElementById("zoom-fit").addEventListener("click", () => setZoom(fitting()));
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = stage.getBoundingClientRect();
    setZoom(zoom * Math.exp(-event.deltaY / 300), event.clientX - place.left, event.clientY - place.top);
  }, { passive: false });
  // The middle button, or any with the space bar, drags the page; the left one selects text.
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    const onText = event.target.closest(".words span");
    if (cropping || event.pointerType !== "mouse" || (event.button !== 1 && onText) || event.button === 2) return;
    from = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("dragging");
    event.preventDefault();
    stage.focus({ preventScroll: true });
  });
  stage.addEventListener("pointermove", (event) => {
    if (from) stage.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  const stop = () => { from = null; stage.classList.remove("dragging"); };
  stage.addEventListener("pointerup", stop);
  stage.addEventListener("pointercancel", stop);
  new ResizeObserver(() => { if (Math.abs(zoom - fitted) < 1e-6) { fitted = fitting(); setZoom(fitted); } }).observe(stage);
}

let fitted = 1;

// --- Text -----------------------------------------------------------------------------------------------------------

const words = content("page-words");
const layer = document.getElementById("words");
const spans = [];

function setUpWords() {
  for (const [text, left, top, right, bottom] of words) {
    const span = document.createElement("span");
    span.textContent = `${text} `;
    span.style.left = `${100 * left}%`;
    span.style.top = `${100 * top}%`;
    layer.append(span);
    spans.push({ span, width: right - left, height: bottom - top, natural: 0 });
  }
}

function layOutWords() {
  for (const each of spans) each.span.style.fontSize = `${Math.max(1, each.height * HEIGHT * zoom * 0.85)}px`;
  for (const each of spans) each.natural = each.span.offsetWidth;
  for (const each of spans) if (each.natural) each.span.style.transform = `scaleX(${(each.width * WIDTH * zoom) / each.natural})`;
}

// --- Heat -----------------------------------------------------------------------------------------------------------

let heat = null;
let chosen = "all";
const canvas = document.getElementById("heat");
const boxes = document.getElementById("boxes");

// From transparent through yellow to red: light enough for dark print below it.
function colour(value) {
  const hot = value / 255;
  return [255, Math.round(214 - 150 * hot), Math.round(60 - 30 * hot), Math.round(255 * Math.min(1, hot ** 1.5))];
}

const decoded = (map) => Uint8Array.from(atob(map), (character) => character.charCodeAt(0));

/** The map of the whole query: of each cell, the mean of its tokens, stretched to the full range. */
function whole() {
  const cells = new Float32Array(heat.n_x * heat.n_y);
  for (const token of heat.tokens) token.cells.forEach((value, index) => { cells[index] += (value / 255) ** 2; });
  const most = Math.max(...cells, 1e-6);
  return cells.map((value) => 255 * value / most);
}

function draw(which = chosen) {
  const context = canvas.getContext("2d");
  canvas.width = heat.n_x;
  canvas.height = heat.n_y;
  if (which === "off") return context.clearRect(0, 0, heat.n_x, heat.n_y);
  const cells = which === "all" ? whole() : heat.tokens[which].cells;
  const picture = context.createImageData(heat.n_x, heat.n_y);
  cells.forEach((value, index) => picture.data.set(colour(value), 4 * index));
  context.putImageData(picture, 0, 0);
  boxes.replaceChildren(...(which === "all" ? heat.boxes.map(({ box }) => rectangle(box)) : [rectangle(heat.tokens[which].box, "best")]));
}

function rectangle([left, top, right, bottom], kind = "") {
  const one = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const sides = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries(sides)) one.setAttribute(name, 100 * value);
  one.setAttribute("class", kind);
  return one;
}

const inside = ([left, top, right, bottom]) => words
  .filter(([, x0, y0, x1, y1]) => left <= (x0 + x1) / 2 && (x0 + x1) / 2 <= right && top <= (y0 + y1) / 2 && (y0 + y1) / 2 <= bottom)
  .map(([text]) => text).join(" ");

function showTokens() {
  const group = document.getElementById("tokens");
  const button = (value, label, title) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "token";
    one.textContent = label;
    one.title = title;
    one.dataset.token = value;
    one.setAttribute("aria-pressed", String(value === chosen));
    one.addEventListener("click", () => {
      chosen = value;
      for (const each of group.children) each.setAttribute("aria-pressed", String(each === one));
      if (value === "off") boxes.replaceChildren();
      draw();
    });
    one.addEventListener("pointerenter", () => chosen !== "off" && draw(value));
    one.addEventListener("pointerleave", () => chosen !== "off" && draw());
    group.append(one);
  };
  button("all", "Whole query", "The map of all vectors of the query");
  heat.tokens.forEach((token, index) => {
    const text = inside(token.box);
    button(index, text ? text.slice(0, 24) : `vector ${token.token + 1}`, `Vector ${token.token + 1} of the query matches best ${text ? `at “${text.slice(0, 60)}”` : "in the outlined box"}, score ${token.score.toFixed(2)}`);
  });
  button("off", "Off", "No heat map");
}

function showRegions() {
  const list = document.getElementById("regions");
  for (const region of heat.boxes) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = region.text || "a part without text";
    button.dir = "auto";
    button.addEventListener("click", () => {
      boxes.replaceChildren(rectangle(region.box, "best"));
      const [left, top, right, bottom] = region.box;
      stage.scrollTo({
        left: paper.offsetLeft + (left + right) / 2 * WIDTH * zoom - stage.clientWidth / 2,
        top: paper.offsetTop + (top + bottom) / 2 * HEIGHT * zoom - stage.clientHeight / 2,
        behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth",
      });
    });
    const score = document.createElement("span");
    score.className = "muted";
    score.textContent = ` ${region.score.toFixed(2)}`;
    item.append(button, score);
    list.append(item);
  }
  if (!heat.boxes.length) list.replaceWith("None: the places of this page’s vectors are unknown.");
}

async function request() {
  const params = new URLSearchParams(location.search);
  const name = params.get("image");
  params.set("page_id", viewer.dataset.pageId);
  if (!name) return send(`${viewer.dataset.heat}?${params}`);
  const base64 = sessionStorage.getItem(name);
  if (!base64) throw new Error("The image of this search was in another tab.");
  return send(viewer.dataset.heat, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ params: params.toString(), image: base64 }),
  });
}

async function setUpHeat() {
  if (!viewer.dataset.hasQuery) return;
  const status = document.getElementById("heat-status");
  try {
    heat = await (await request()).json();
  } catch (error) {
    status.textContent = error.message;
    return;
  }
  for (const token of heat.tokens) token.cells = decoded(token.map);
  const most = heat.boxes[0];
  status.textContent = heat.boxes.length
    ? `${heat.boxes.length} region${heat.boxes.length === 1 ? "" : "s"}; the best${most.text ? ` reads “${most.text.slice(0, 80)}”` : ""}, score ${most.score.toFixed(2)}.`
    : "No region stands out.";
  document.getElementById("heat-controls").hidden = false;
  showTokens();
  showRegions();
  draw();
  const opacity = document.getElementById("opacity");
  const apply = () => { canvas.style.opacity = opacity.value / 100; };
  opacity.addEventListener("input", apply);
  apply();
  const ramp = document.getElementById("ramp");
  const context = ramp.getContext("2d");
  for (let x = 0; x < ramp.width; x += 1) {
    const [red, green, blue, alpha] = colour(255 * x / (ramp.width - 1));
    context.fillStyle = `rgba(${red},${green},${blue},${alpha / 255})`;
    context.fillRect(x, 0, 1, ramp.height);
  }
}

// --- Searching by a part --------------------------------------------------------------------------------------------

let cropping = false;
const selection = document.getElementById("selection");
const crop = document.getElementById("crop");

function setCropping(value) {
  cropping = value;
  crop.setAttribute("aria-pressed", String(value));
  stage.classList.toggle("cropping", value);
  selection.hidden = true;
  if (value) notice("Draw a box around the part to search by. Escape ends this.");
}

function setUpCropping() {
  let start = null;
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  };
  const edges = (event) => {
    const [x, y] = place(event);
    return [Math.min(start[0], x), Math.min(start[1], y), Math.max(start[0], x), Math.max(start[1], y)];
  };
  crop.addEventListener("click", () => setCropping(!cropping));
  paper.addEventListener("pointerdown", (event) => {
    if (!cropping || event.button) return;
    event.preventDefault();
    start = place(event);
    paper.setPointerCapture(event.pointerId);
  });
  paper.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [left, top, right, bottom] = edges(event);
    selection.hidden = false;
    Object.assign(selection.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
  });
  paper.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = edges(event).map((edge) => Math.round(edge * 1e4) / 1e4);
    start = null;
    if (box[2] - box[0] < 0.01 || box[3] - box[1] < 0.005) return notice("This box is too small. Draw a larger one.");
    const part = JSON.stringify({ crop: { ...content("page-place"), box } });
    location.assign(`${viewer.dataset.search}?${new URLSearchParams({ part })}`);
  });
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      Escape: () => (cropping ? setCropping(false) : document.getElementById("back").click()),
      ArrowLeft: () => document.getElementById("previous")?.click(),
      ArrowRight: () => document.getElementById("next")?.click(),
      "+": () => setZoom(zoom * 1.25),
      "-": () => setZoom(zoom / 1.25),
      "0": () => setZoom(fitting()),
      b: () => setCropping(!cropping),
    };
    if (actions[event.key]) {
      event.preventDefault();
      actions[event.key]();
    }
  });
}

setUpWords();
fitted = fitting();
setZoom(fitted);
setUpZoom();
setUpCropping();
setUpKeys();
setUpHeat();
