"use strict";
// Ties filters, list and detail to the address of the page and to the keyboard.

const form = document.getElementById("filters");
const detail = document.getElementById("detail");
const keys = document.getElementById("keys");
const count = document.getElementById("count");
const list = new RowList(document.getElementById("list"), (row) => go({ row: nameOf(row) }, true));
let state = {};
let chosen = null; // the row that the detail shows

// Change the state; `remember` makes a step for the browser's button to go back.
function go(changes, remember = false) {
  state = { ...state, ...changes };
  writeState(state, remember);
  follow(changes);
}

// Bring the page to its state. `changes`: what differs, all where it is not known.
function follow(changes = null) {
  const moved = ["row", "view", "search"];
  if (!changes || Object.keys(changes).some((name) => !moved.includes(name) || name === "search")) refilter();
  const row = state.row ? rowOf(state.row) : null;
  document.body.classList.toggle("open", row !== null);
  if (row !== null) {
    chosen = row;
    list.choose(row);
    draw(detail, row, view(), openRow, state.search).catch(failed);
  } else if (state.row) {
    detail.replaceChildren(node("p", "note", "The row of this link is not on this page."));
  }
}

const view = () => (["group", "prompt"].includes(state.view) ? state.view : "completion");

function openRow(row, name) {
  go({ row: nameOf(row), view: name === "completion" ? "" : name }, true);
}

function refilter() {
  countFilters();
  search(state, (rows, share) => {
    list.show(rows);
    count.textContent = counted(rows) + (share < 1 ? ` Searching, ${Math.floor(share * 100)} % …` : "");
    if (share === 1 && chosen !== null && rows.includes(chosen)) list.choose(chosen);
    document.body.dataset.ready = share === 1 ? "yes" : "no";
  }).catch(failed);
}

function counted(rows) {
  const part = (name) => {
    const flags = rows.map(reader(name)).filter((flag) => flag !== null);
    return flags.length ? `${((100 * flags.filter(Boolean).length) / flags.length).toFixed(1)} %` : "–";
  };
  const shares = rows.length ? `: ${part("correct")} right, ${part("in_language")} in language, ${part("code_switched")} code-switched` : "";
  return `${rows.length.toLocaleString("en")} of ${page.rows.toLocaleString("en")}${shares}.`;
}

function fillForm() {
  for (const element of form.elements) if (element.name) element.value = state[element.name] ?? "";
}

// How many filters there are, for they may be folded away.
function countFilters() {
  const filled = [...form.elements].filter((element) => element.name && element.value).length;
  form.parentElement.firstElementChild.textContent = filled ? `Filters (${filled})` : "Filters";
}

function move(places) {
  const row = list.beside(places);
  if (row !== null) go({ row: nameOf(row) });
}

function moveInGroup(places) {
  if (chosen === null) return;
  const rows = alike(chosen, "set");
  const row = rows[rows.indexOf(chosen) + places];
  if (row !== undefined) go({ row: nameOf(row) });
}

// The next place in the detail where the language changes.
function nextSwitch() {
  const marks = [...detail.querySelectorAll(".switch")];
  const now = marks.findIndex((mark) => mark.classList.contains("current"));
  marks[now]?.classList.remove("current");
  const next = marks[(now + 1) % marks.length];
  next?.classList.add("current");
  next?.scrollIntoView({ block: "center" });
}

const ACTIONS = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  PageDown: () => move(list.page), PageUp: () => move(-list.page), Home: () => move(-Infinity), End: () => move(Infinity),
  l: () => moveInGroup(1), ArrowRight: () => moveInGroup(1), h: () => moveInGroup(-1), ArrowLeft: () => moveInGroup(-1),
  c: () => go({ view: "" }, true), g: () => go({ view: "group" }, true), p: () => go({ view: "prompt" }, true),
  Enter: () => detail.focus(), s: nextSwitch,
  "/": () => form.elements.search.focus(),
  x: () => clearFilters(),
  Escape: () => (state.row ? go({ row: "" }, true) : null),
  "?": () => keys.showModal(),
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const inField = event.target.matches("input, select, textarea");
  if (inField && event.key === "Escape") event.target.blur();
  if (inField || (event.target.matches("button, summary") && event.key === "Enter")) return;
  if (detail.contains(event.target) && event.key.match(/^(Arrow|Page|Home|End)/)) return; // they scroll it
  const action = Object.hasOwn(ACTIONS, event.key) ? ACTIONS[event.key] : null;
  if (!action) return;
  event.preventDefault();
  action();
}

function clearFilters() {
  state = { row: state.row, view: state.view };
  fillForm();
  go({ run: "" });
}

function failed(error) {
  count.textContent = `This page cannot be shown: ${error.message}`;
  throw error;
}

function typed(event) {
  clearTimeout(typed.timer);
  const { name, value: text } = event.target;
  if (!name) return;
  typed.timer = setTimeout(() => go({ [name]: text }), event.target.matches("input") ? 200 : 0);
}

async function start() {
  await openData();
  fillChoices(form);
  state = readState();
  fillForm();
  form.addEventListener("input", typed);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", clearFilters);
  document.getElementById("back").addEventListener("click", () => go({ row: "" }, true));
  document.getElementById("help").addEventListener("click", () => keys.showModal());
  addEventListener("keydown", pressed);
  addEventListener("popstate", () => {
    state = readState();
    fillForm();
    follow();
  });
  if (matchMedia("(max-width: 50rem)").matches) form.parentElement.open = false;
  follow();
}

start().catch(failed);
