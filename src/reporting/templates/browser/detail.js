"use strict";
// What is beside the list: one completion, the whole group of its prompt, or the prompt across steps and runs.

const MOST = 64; // completions of a group that are shown side by side
let drawing = 0; // the number of the drawing that counts

// Fills `element` with the `view` of `row`: "completion", "group" or "prompt". `open(row, view)` follows its buttons.
async function draw(element, row, view, open, searched) {
  const turn = ++drawing;
  const known = await texts(row);
  if (turn !== drawing) return;
  const parts = [heading(row, view, open), asking(row, known), answers(row, known, view === "completion")];
  if (view === "completion") parts.push(...one(row, known));
  if (view === "prompt") parts.push(across(row, open));
  if (view !== "completion") parts.push(...(await group(row, open)));
  if (turn !== drawing) return;
  element.replaceChildren(...parts);
  element.scrollTop = 0;
  highlight(element, searched);
}

function heading(row, view, open) {
  const tabs = node("div", "tabs");
  const rows = alike(row, "set");
  const names = { completion: `completion ${rows.indexOf(row) + 1}`, group: `group of ${rows.length}`, prompt: "same prompt, all steps and runs" };
  for (const [name, text] of Object.entries(names)) {
    const tab = button(text, () => open(row, name));
    tab.setAttribute("aria-pressed", name === view);
    tabs.append(tab);
  }
  return node("header", "", node("h2", "", whereFrom(row).join(" · ")), tabs);
}

function asking(row, known) {
  const asked = value("language", row);
  const problem = value("problem", row);
  const element = node("section", "asking");
  element.append(
    node("p", "labels", chip(asked, "question"), " question", problem === null ? null : node("span", "note", ` problem ${problem}`)),
    node("p", "question", plainText(known.question || "–", asked)),
  );
  return element;
}

// The gold answer and, where `read`, the one that was read; it stays in sight.
function answers(row, known, read) {
  const rule = value("rule", row);
  const own = [" ", node("b", "", "read"), " ", plainText(known.answer ?? "none", null), rule ? node("span", "note", ` (${rule})`) : null];
  return node("p", "fixed", node("b", "", "gold"), " ", plainText(known.gold ?? "–", null), ...(read ? own : []));
}

// The numbers of a row, as [name, text, meaning]; what the run does not have is left out.
function amounts(row) {
  const list = [["reward", number(value("reward", row)), "before any language term"]];
  for (const part of page.parts) list.push([part, number(value(`reward_${part}`, row)), "part of the reward"]);
  const term = value("alignment_term", row);
  const multiplies = page.runs[value("run", row)].multiplies;
  list.push(["factor", number(value("alignment_factor", row)), "B g: what a matching completion is offered"]);
  list.push(multiplies
    ? ["weight", number(typeof term === "number" ? 1 + term : term), "1 + B g m: what multiplies the reward"]
    : ["term", number(term), "B g m: what is added for the language"]);
  if (value("diversity_term", row)) list.push(["diversity", number(value("diversity_term", row)), "diversity term"]);
  list.push(["advantage", number(value("advantage", row), true), "what it was trained with"]);
  list.push(["tokens", number(value("tokens", row)), "length"], ["sentences", number(value("sentences", row)), "with a known language"]);
  return list.filter(([, text]) => text !== "–");
}

function one(row, known) {
  const facts = node("dl", "facts");
  for (const [name, text, meaning] of amounts(row)) {
    facts.append(Object.assign(node("div", "", node("dt", "", name), node("dd", "", text)), { title: meaning }));
  }
  return [
    node("p", "labels", chip(value("detected", row), "trace"), " trace ", ...verdicts(row)),
    facts,
    completion(known.pieces, row, SHOWN),
  ];
}

async function group(row, open) {
  const rows = alike(row, "set");
  const shown = rows.slice(0, MOST);
  const known = await Promise.all(shown.map(texts));
  const right = rows.filter((other) => value("correct", other)).length;
  const inside = rows.filter((other) => value("in_language", other)).length;
  const more = rows.length > MOST ? `; the first ${MOST} are shown` : "";
  const cards = node("div", "cards");
  shown.forEach((other, place) => {
    const card = node("section", other === row ? "card chosen" : "card");
    card.append(
      node("h3", "", button(`completion ${place + 1}`, () => open(other, "completion"))),
      node("p", "labels", chip(value("detected", other), "trace"), " ", ...verdicts(other)),
      node("p", "note", amounts(other).map(([name, text]) => `${name} ${text}`).join(" · ")),
      answers(other, known[place], true),
      completion(known[place].pieces, other, BRIEF),
    );
    cards.append(card);
  });
  const heading = `${rows.length} completions: ${right} right, ${inside} in language${more}`;
  return [node("h3", "", heading), compared(shown, known, row, open), cards];
}

// A line for each completion of a group.
function compared(rows, known, row, open) {
  const names = [...new Set(rows.flatMap((other) => amounts(other).map(([name]) => name)))];
  const lines = rows.map((other, place) => {
    const of = new Map(amounts(other).map(([name, text]) => [name, text]));
    const line = node("tr", other === row ? "chosen" : "",
      node("td", "", button(place + 1, () => open(other, "completion"))),
      node("td", "", chip(value("detected", other), "trace")),
      node("td", "labels", ...verdicts(other)),
      Object.assign(node("td", "cut", (known[place].answer ?? "none").slice(0, 40)), { dir: "auto" }),
      ...names.map((name) => node("td", "amount", of.get(name) ?? "–")));
    return line;
  });
  return table(["", "trace", "verdict", "read", ...names], lines);
}

function table(heads, lines) {
  const cells = heads.map((text) => Object.assign(node("th", "", text), { scope: "col" }));
  return node("div", "scroll", node("table", "", node("thead", "", node("tr", "", ...cells)), node("tbody", "", ...lines)));
}

// A line for each time that the prompt was asked.
function across(row, open) {
  const places = new Map();
  for (const other of alike(row, "prompt")) {
    const key = value("set", other);
    places.set(key, [...(places.get(key) ?? []), other]);
  }
  const own = alike(row, "set")[0];
  const share = (rows, name) => `${rows.filter((other) => value(name, other)).length}`;
  const lines = [...places.values()].map((rows) => {
    const counts = new Map();
    for (const other of rows) counts.set(value("detected", other), 1 + (counts.get(value("detected", other)) ?? 0));
    const languages = [...counts].sort((a, b) => b[1] - a[1]).flatMap(([code, count]) => [chip(code, "trace"), ` ${count} `]);
    const rewards = rows.map((other) => value("reward", other)).filter((reward) => typeof reward === "number");
    const mean = rewards.length ? number(rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length) : "–";
    return node("tr", rows[0] === own ? "chosen" : "",
      node("td", "", button(page.runs[value("run", rows[0])].name, () => open(rows[0], "prompt"))),
      node("td", "", value("step", rows[0]) ?? [value("split", rows[0]), value("part", rows[0])].filter(Boolean).join(" ")),
      node("td", "amount", rows.length), node("td", "amount", share(rows, "correct")), node("td", "amount", share(rows, "in_language")),
      node("td", "", ...languages), node("td", "amount", mean), node("td", "amount", number(value("alignment_factor", rows[0]))));
  });
  return table(["run", "step or split", "completions", "right", "in language", "trace", "mean reward", "factor"], lines);
}

// Shows where the searched text stands, without a change of the nodes.
function highlight(element, searched) {
  if (!window.Highlight) return;
  const ranges = [];
  const wanted = searched?.toLowerCase();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (wanted && ranges.length < 1000 && walker.nextNode()) {
    const text = walker.currentNode.data.toLowerCase();
    if (text.length !== walker.currentNode.length) continue; // a letter whose small form is longer
    for (let place = text.indexOf(wanted); place >= 0 && ranges.length < 1000; place = text.indexOf(wanted, place + wanted.length)) {
      const range = new Range();
      range.setStart(walker.currentNode, place);
      range.setEnd(walker.currentNode, place + wanted.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("searched", new Highlight(...ranges));
}
