"use strict";
// What the page holds. The columns of all rows are unpacked when it opens; texts lie in blocks, unpacked when they are asked for.

const KEPT = 24e6; // characters of unpacked blocks
const blocks = new Map(); // number -> block or promise of it, the one used last at the end
let page = null;

async function unpacked(id) {
  const stream = new Blob([bytesOf(await pack(id))]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// The text of an element that may not have come yet, or in part: what follows it says that it is whole.
async function pack(id) {
  for (;;) {
    const element = document.getElementById(id);
    if (element?.nextElementSibling || document.readyState !== "loading") return element.textContent;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const signs = atob(text);
  const bytes = new Uint8Array(signs.length);
  for (let place = 0; place < signs.length; place++) bytes[place] = signs.charCodeAt(place);
  return bytes;
}

async function openData() {
  page = await unpacked("content");
  page.byCode = new Map(page.languages.map((language) => [language.code, language]));
}

// The function that gives a column's value of a row, for loops; `value` is for a single one.
function reader(name) {
  const { codes, values, list } = page.columns[name];
  return codes ? (row) => values[codes[row]] : (row) => list[row];
}

function value(name, row) {
  return reader(name)(row);
}

function valuesOf(name) {
  const column = page.columns[name];
  return column.values ?? [...new Set(column.list)];
}

function allRows() {
  return Array.from({ length: page.rows }, (_, row) => row);
}

// The rows that equal `row` in a column: `set` for the completions of one prompt at one time, `prompt` for those of all times.
function alike(row, name) {
  const of = reader(name), wanted = of(row);
  return allRows().filter((other) => of(other) === wanted);
}

function blockOf(row) {
  let low = 0, high = page.blocks.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (page.blocks[middle] <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

// { question, gold, answer, pieces } of a row; null while its block is not unpacked.
function textsNow(row) {
  const number = blockOf(row);
  const block = blocks.get(number);
  return block?.rows ? textsIn(block, row - page.blocks[number]) : null;
}

async function texts(row) {
  const number = blockOf(row);
  return textsIn(await load(number), row - page.blocks[number]);
}

function textsIn(block, place) {
  const [question, gold, answer, pieces] = block.rows[place];
  return { question: block.questions[question], gold, answer, pieces };
}

async function load(number) {
  const known = blocks.get(number) ?? unpacked(`block-${number}`);
  blocks.delete(number);
  blocks.set(number, known);
  const block = await known;
  if (!block.characters) block.characters = charactersIn(block);
  if (blocks.get(number) === known) blocks.set(number, block);
  let kept = 0;
  for (const [other, content] of [...blocks].reverse()) {
    kept += content.characters ?? 0;
    if (kept > KEPT && other !== number) blocks.delete(other);
  }
  return block;
}

function charactersIn(block) {
  return 1 + block.rows.reduce((sum, row) => sum + row[3].reduce((all, text) => all + text.length, 0), 0);
}

// Whether a text is in question, completion or answers, in upper or lower case; `wanted` is in lower case.
function holds({ question, gold, answer, pieces }, wanted) {
  const completion = pieces.filter((_, place) => place % 2).join("");
  return [question, gold, answer, completion].some((text) => text && text.toLowerCase().includes(wanted));
}

// Where a row is from, in words that stay the same when the page is made again.
function placeOf(row) {
  const step = value("step", row) ?? [value("split", row), value("part", row)].filter(Boolean).join(" ");
  const group = value("group", row) ?? `${value("problem", row)} ${value("language", row)}`;
  return [page.runs[value("run", row)].name, step, group].join("~");
}

let named = {}; // the last row that was named

function nameOf(row) {
  named = { row, name: `${placeOf(row)}~${alike(row, "set").indexOf(row)}` };
  return named.name;
}

function rowOf(name) {
  if (named.name === name) return named.row;
  const cut = name.lastIndexOf("~");
  const first = allRows().find((row) => placeOf(row) === name.slice(0, cut));
  return first === undefined ? null : (alike(first, "set")[Number(name.slice(cut + 1))] ?? null);
}
