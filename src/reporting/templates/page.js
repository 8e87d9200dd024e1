// A click on the head of a column sorts the table by it: numbers by their first number, the rest as text.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => [row, row.cells[column].textContent]);
      const number = (text) => {
        const match = text.match(/^[<>]?\s*([+-]?\d[\d.,]*)/);
        return match ? parseFloat(match[1].replaceAll(",", "")) : null;
      };
      const sign = down ? -1 : 1;
      rows.sort(([, one], [, other]) => {
        if (!one || !other) return !one - !other; // empty cells last, whichever way
        const a = number(one), b = number(other);
        if (a !== null && b !== null) return sign * (a - b);
        if (a !== null || b !== null) return a !== null ? -1 : 1;
        return sign * one.localeCompare(other);
      });
      body.append(...rows.map(([row]) => row));
    });
  });
}
