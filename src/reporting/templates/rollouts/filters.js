"use strict";
// Which rows are shown, and in which order. The state of the page is the text behind `#` in its address: a link to every view.

const ORDERS = ["reward", "advantage", "tokens"]; // with `-` before it, high first
const CHOICES = {
  run: (row) => page.runs[value("run", row)].name,
  kind: (row) => value("kind", row),
  step: (row) => value("step", row),
  language: (row) => value("language", row),
  detected: (row) => value("detected", row) ?? "unknown",
  right: (row) => yes(value("correct", row)),
  inside: (row) => yes(value("in_language", row)),
  switched: (row) => yes(value("code_switched", row)),
  truncated: (row) => yes(value("truncated", row)),
  status: (row) => value("status", row),
  group: (row) => value("group", row),
  problem: (row) => value("problem", row),
};
let searching = 0; // the number of the search that counts

const yes = (flag) => (flag ? "yes" : "no");

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
  const tests = Object.entries(CHOICES).filter(([name]) => state[name]);
  const rows = allRows().filter((row) => tests.every(([name, of]) => String(of(row)) === state[name]));
  const column = ORDERS.find((name) => [name, `-${name}`].includes(state.order));
  if (!column) return rows;
  const sign = state.order === column ? 1 : -1;
  const amount = (row) => (typeof value(column, row) === "number" ? value(column, row) : null);
  return rows.sort((one, other) => {
    const [a, b] = [amount(one), amount(other)];
    return a === null || b === null ? (a === null) - (b === null) : sign * (a - b);
  });
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
