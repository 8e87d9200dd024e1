"use strict";
// The list: any number of rows, of which only those in sight are elements of the page.

const BEYOND = 6; // rows above and below those in sight
const TALLEST = 8e6; // pixels: browsers stop somewhat above; longer lists scroll faster than the wheel

class RowList {
  constructor(element, choose) {
    this.element = element;
    this.body = element.firstElementChild;
    this.rows = [];
    this.chosen = null; // a row, and its place in the list
    this.place = -1;
    this.drawn = new Map(); // place in the list -> element
    this.waiting = false;
    this.height = 1;
    this.measure();
    element.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(element);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) choose(Number(row.dataset.row));
    });
  }

  show(rows) {
    this.rows = rows;
    this.place = rows.indexOf(this.chosen);
    this.clear();
    this.later();
  }

  clear() {
    this.drawn.clear();
    this.body.replaceChildren();
  }

  // The height of a row, in pixels.
  measure() {
    const sizes = [getComputedStyle(this.body).getPropertyValue("--row"), getComputedStyle(document.documentElement).fontSize];
    this.height = sizes.map(parseFloat).reduce((one, other) => one * other);
    this.clear();
    this.later();
  }

  // How many pixels of the scroll bar stand for a pixel of the list.
  get scale() {
    return Math.min(1, TALLEST / (this.rows.length * this.height));
  }

  choose(row) {
    this.chosen = row;
    this.place = this.rows.indexOf(row);
    if (this.place >= 0) {
      const top = this.place * this.height * this.scale, bottom = top + this.height;
      const { scrollTop, clientHeight } = this.element;
      this.body.style.height = `${this.rows.length * this.height * this.scale}px`; // for it may be new
      if (top < scrollTop || bottom > scrollTop + clientHeight) this.element.scrollTop = top - clientHeight / 3;
    }
    this.later();
  }

  // The row that many places after the chosen one.
  beside(places) {
    const place = this.place < 0 ? 0 : Math.min(this.rows.length - 1, Math.max(0, this.place + places));
    return this.rows[place] ?? null;
  }

  get page() {
    return Math.max(1, Math.floor(this.element.clientHeight / this.height) - 1);
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const { height, scale } = this;
    this.body.style.height = `${this.rows.length * height * scale}px`;
    const { scrollTop, clientHeight } = this.element;
    const top = scrollTop / scale;
    const first = Math.max(0, Math.floor(top / height) - BEYOND);
    const last = Math.min(this.rows.length, Math.ceil((top + clientHeight) / height) + BEYOND);
    for (const [place, element] of this.drawn) {
      const known = element.dataset.bare && textsNow(this.rows[place]);
      if (place >= first && place < last && !known && scale === 1) continue;
      element.remove();
      this.drawn.delete(place);
    }
    for (let place = first; place < last; place++) {
      if (this.drawn.has(place)) continue;
      const element = this.elementOf(place);
      element.style.transform = `translateY(${place * height + scrollTop - top}px)`;
      this.drawn.set(place, element);
      this.body.append(element);
    }
    this.mark();
  }

  // Marks the chosen row, if it is in sight.
  mark() {
    this.body.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    const element = this.drawn.get(this.place);
    element?.setAttribute("aria-selected", "true");
    if (element) this.element.setAttribute("aria-activedescendant", element.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  elementOf(place) {
    const row = this.rows[place];
    const known = textsNow(row);
    const element = node("div", "row", ...summary(row, known));
    Object.assign(element, { id: `row-${row}`, role: "option" });
    element.dataset.row = row;
    element.setAttribute("aria-posinset", place + 1);
    element.setAttribute("aria-setsize", this.rows.length);
    if (!known) {
      element.dataset.bare = "yes";
      load(blockOf(row)).then(() => this.later());
    }
    return element;
  }
}

// What a row shows in the list: where it is from, languages and verdict, what it was worth, its answers and its beginning.
function summary(row, known) {
  const asked = value("language", row), thought = value("detected", row);
  const languages = node("span", "languages", chip(asked, "question"), "→", chip(thought, "trace"));
  const worth = [
    value("reward", row) !== null ? `reward ${number(value("reward", row))}` : null,
    value("advantage", row) !== null ? `adv ${number(value("advantage", row), true)}` : null,
  ].filter(Boolean);
  const answers = known ? `gold ${known.gold ?? "–"} · read ${known.answer ?? "none"}`.slice(0, 80).replace(/\s+/g, " ") : "…";
  return [
    node("div", "line", node("span", "place", whereFrom(row).join(" · ")), node("span", "worth", worth.join("  "))),
    node("div", "line", languages, ...verdicts(row)),
    node("div", "line", Object.assign(node("span", "answers", answers), { dir: "auto" }), known ? snippet(known) : null),
  ];
}

function whereFrom(row) {
  const named = (name) => (value(name, row) === null ? null : `${name} ${value(name, row)}`);
  const place = [named("step"), named("group"), value("split", row), value("part", row), named("sample")];
  const problem = value("step", row) === null ? value("problem", row) : null;
  const run = page.runs.length > 1 ? page.runs[value("run", row)].name : null;
  return [...place, problem, run].filter(Boolean);
}

function verdicts(row) {
  const status = value("status", row) ?? "not judged", right = value("correct", row);
  const chips = [node("span", right ? "good" : "bad", right && status !== "right" ? `right (${status})` : status)];
  const inside = value("in_language", row);
  if (inside !== null) chips.push(node("span", inside ? "good" : "bad", inside ? "in language" : "not in language"));
  if (value("code_switched", row)) chips.push(node("span", "mild", "code-switched"));
  if (value("truncated", row)) chips.push(node("span", "mild", "truncated"));
  if (value("trained", row) === false) chips.push(node("span", "mild", "not trained on"));
  return chips;
}
