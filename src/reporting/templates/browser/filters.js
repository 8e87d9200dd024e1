"use strict";
// Which rows are shown, and in which order. The state of the page is the text behind `#` in its address: a link to every view.

const yes = (flag) => (flag ? "yes" : "no");
const ORDERS = ["reward", "advantage", "tokens"]; // with `-` before it, high first
// Name of a filter -> its column, and how a value of it is written.
const CHOICES = {
  run: ["run", (number) => page.runs[number].name],
  kind: ["kind", String],
  step: ["step", String],
  language: ["language", String],
  detected: ["detected", (code) => code ?? "unknown"],
  right: ["correct", yes],
  inside: ["in_language", yes],
  switched: ["code_switched", yes],
  truncated: ["truncated", yes],
  status: ["status", String],
  group: ["group", String],
  problem: ["problem", String],
};
let searching = 0; // the number of the search that counts

function readState() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function writeState(state, remember) {
  const filled = Object.entries(state).filter(([, text]) => text !== "" && text !== null && text !== undefined);
  const hash = `#${new URLSearchParams(filled)}`;
  if (hash === location.hash) return;
  history[remember ? "pushState" : "replaceState"](null, "", hash);
}

// The rows that pass all filters but the search.
function filtered(state) {
  let rows = allRows();
  for (const [name, [column, written]] of Object.entries(CHOICES)) {
    if (!state[name]) continue;
    const of = reader(column);
    rows = rows.filter((row) => written(of(row)) === state[name]);
  }
  const column = ORDERS.find((name) => [name, `-${name}`].includes(state.order));
  return column ? ordered(rows, column, state.order === column ? 1 : -1) : rows;
}

// Sorted by a column; rows without a number are last, and equal ones stay in their order.
function ordered(rows, column, sign) {
  const amounts = rows.map(reader(column));
  const places = rows.map((_, place) => place).filter((place) => typeof amounts[place] === "number");
  places.sort((one, other) => sign * (amounts[one] - amounts[other]));
  return [...places.map((place) => rows[place]), ...rows.filter((_, place) => typeof amounts[place] !== "number")];
}

// Calls `show(rows, share searched)` with the rows that match, again and again while their texts are searched.
async function search(state, show) {
  const turn = ++searching;
  const rows = filtered(state);
  if (!state.search) return show(rows, 1);
  const wanted = state.search.toLowerCase();
  const matches = new Set();
  const numbers = [...new Set(rows.map(blockOf))];
  const asked = new Set(rows);
  let shown = performance.now();
  show([], 0);
  for (const [place, number] of numbers.entries()) {
    const block = await load(number);
    if (turn !== searching) return undefined;
    block.rows.forEach((_, within) => {
      const row = page.blocks[number] + within;
      if (asked.has(row) && holds(textsIn(block, within), wanted)) matches.add(row);
    });
    if (performance.now() - shown > 200) {
      show(rows.filter((row) => matches.has(row)), place / numbers.length);
      await new Promise((resolve) => setTimeout(resolve));
      if (turn !== searching) return undefined;
      shown = performance.now();
    }
  }
  return show(rows.filter((row) => matches.has(row)), 1);
}

function fillChoices(form) {
  const fill = (name, values, text = (choice) => choice) => {
    const select = form.elements[name];
    for (const choice of values) select.append(new Option(text(choice), choice));
    select.closest("label").hidden = values.length < 2 && !select.options[1]?.value.match(/^(yes|no)$/);
  };
  const known = (name) => valuesOf(name).filter((choice) => choice !== null);
  fill("run", page.runs.map((run) => run.name));
  fill("kind", known("kind"), (kind) => ({ training: "training rollouts", evaluation: "evaluation records" })[kind]);
  fill("step", known("step").sort((a, b) => a - b));
  fill("language", known("language").sort(), (code) => `${code} ${languageName(code)}`);
  const detected = valuesOf("detected").map((code) => code ?? "unknown").sort();
  fill("detected", detected, (code) => (page.byCode.has(code) ? `${code} ${languageName(code)}` : code));
  fill("status", known("status").sort());
}
