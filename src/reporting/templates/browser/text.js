"use strict";
// Texts of models as nodes. Nothing is ever read as markup: every text becomes the content of a text node.

const SHOWN = 20000; // characters of a completion that are shown at first
const BRIEF = 3000; // the same, in a group
const SHORT = 2000; // of a question or an answer
const COLOURS = 18;

function node(tag, name, ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content.filter((part) => part !== null && part !== undefined).map((part) => (part instanceof Node ? part : String(part))));
  return element;
}

function button(text, press, name = "") {
  const element = node("button", name, text);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

// Marks an element as text in a language, for fonts and direction.
function inLanguage(element, code) {
  const language = page.byCode.get(code);
  if (language) element.lang = code;
  element.dir = language ? (language.rtl ? "rtl" : "ltr") : "auto";
  return element;
}

// The classes that give the colour of a language.
function colourOf(code) {
  const place = page.languages.findIndex((language) => language.code === code);
  return place >= 0 ? `known c${place % COLOURS}` : "unknown";
}

function languageName(code) {
  return page.byCode.get(code)?.name ?? (code === "other" ? "another language" : (code ?? "unknown"));
}

function chip(code, title) {
  const element = node("span", `chip ${colourOf(code)}`, code ?? "unknown");
  element.title = title ? `${title}: ${languageName(code)}` : languageName(code);
  return element;
}

// A cut that does not part the two halves of a character.
function cutAt(text, place) {
  const code = text.charCodeAt(place);
  return code >= 0xdc00 && code <= 0xdfff ? place - 1 : place;
}

// A question or an answer; a long one with a button that shows all of it.
function plainText(text, code) {
  const element = inLanguage(node("span", "plain"), code);
  const show = (whole) => {
    element.replaceChildren(whole ? text : text.slice(0, cutAt(text, SHORT)));
    if (!whole) element.append(" ", button(`show all ${text.length.toLocaleString("en")} characters`, () => show(true)));
  };
  show(text.length <= SHORT);
  return element;
}

// A completion: stretches in the colours of their languages, marked where the language changes. The middle of a long one is left
// out until a button is pressed. `row` says in which languages question, trace and answer are.
function completion(pieces, row, limit) {
  const [asked, answered] = [value("language", row), value("answer_detected", row)];
  const element = inLanguage(node("div", "completion"), value("detected", row));
  const show = (most) => {
    element.replaceChildren(...stretches(pieces, asked, answered, most, () => show(Infinity)));
  };
  show(limit);
  return element;
}

function stretches(pieces, asked, answered, most, more) {
  const nodes = [];
  let before = null;
  for (const [mark, text] of kept(pieces, most)) {
    if (mark === null) {
      nodes.push(button(`${text.toLocaleString("en")} characters left out: show all`, more, "gap"));
      continue;
    }
    if (mark === "#whole") nodes.push(node("span", "note", "The completion as it was written:"));
    if (!mark.startsWith("#")) {
      nodes.push(badge(before, mark));
      before = mark;
    }
    nodes.push(stretch(mark, text, asked, answered));
  }
  return nodes;
}

// [mark, text] of what is shown, three quarters of `most` from the beginning and the rest from the end, where an answer is; and
// [null, how many characters] where some are left out.
function kept(pieces, most) {
  const length = pieces.reduce((sum, text, place) => sum + (place % 2 ? text.length : 0), 0);
  const left = Math.max(0, length - most);
  const head = left ? Math.floor(most * 0.75) : length;
  const parts = [];
  let start = 0;
  for (let place = 0; place < pieces.length; place += 2) {
    const [mark, text] = [pieces[place], pieces[place + 1]];
    const end = start + text.length;
    const cut = (where) => cutAt(text, Math.min(text.length, Math.max(0, where - start)));
    parts.push([mark, text.slice(0, cut(head))]);
    if (left && start <= head && head < end) parts.push([null, left]);
    parts.push([mark, text.slice(cut(head + left))]);
    start = end;
  }
  return parts.filter(([mark, text]) => mark === null || text);
}

// Without a direction of its own: each line of the completion has that of its first letter.
function stretch(mark, text, asked, answered) {
  if (mark.startsWith("#") && mark !== "#answer") return node("span", mark.slice(1), text);
  const code = mark === "#answer" ? answered : mark;
  const element = node("span", mark === "#answer" ? `answer ${code ? colourOf(code) : ""}` : colourOf(code), text);
  if (page.byCode.has(code)) element.lang = code;
  if (code && code !== asked) element.classList.add("foreign");
  return element;
}

function badge(before, after) {
  const text = before === null || before === after ? after || "unknown" : `${before || "unknown"} → ${after || "unknown"}`;
  const element = node("span", `badge ${colourOf(after)}`, text);
  if (before !== null && before !== after) element.classList.add("switch");
  return element;
}

// The beginning of a completion on one line, for the list.
function snippet({ pieces }) {
  let text = "", mark = null;
  for (let place = 0; place < pieces.length && text.length < 200; place += 2) {
    if (pieces[place].startsWith("#") && mark === null && place + 2 < pieces.length) continue;
    mark ??= pieces[place];
    text += pieces[place + 1].slice(0, 200);
  }
  const element = node("span", "snippet", text.replace(/\s+/g, " ").slice(0, cutAt(text, 200)));
  return mark === null || mark.startsWith("#") ? element : inLanguage(element, mark);
}

function number(amount, signed = false) {
  if (typeof amount !== "number") return amount ?? "–";
  const text = Number.isInteger(amount) ? String(amount) : amount.toFixed(3).replace(/0+$/, "").replace(/\.$/, "");
  return signed && amount > 0 ? `+${text}` : text;
}
