// A network of the first screen opened: its values at every layer, under its row.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const figure = document.getElementById("answer");
  if (!figure) return;
  const table = figure.querySelector("table.heat");
  let opened = null;

  // source/architecture → its rows of values, made when first asked for.
  let values = null;
  function valuesOf(key) {
    if (!values) {
      values = new Map();
      lossnets.rows(figure.dataset.values).forEach((row) => {
        const name = `${row.source}/${row.architecture}`;
        if (!values.has(name)) values.set(name, []);
        values.get(name).push(row);
      });
    }
    return values.get(key) ?? [];
  }

  const scores = JSON.parse(figure.dataset.scores);
  const starts = new Set(figure.dataset.starts.split(" ").map(Number));

  function element(name, text, className) {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // Rows that the page holds as data, drawn as the others are.
  lossnets.rowOf = lossnets.rowOf ?? {};
  lossnets.rowOf.answer = ([key, name, source, mean, cells]) => {
    const row = document.createElement("tr");
    row.dataset.key = key;
    const head = element("th", name, "head");
    head.scope = "row";
    if (source !== "paper") {
      row.className = "other";
      head.append(" ", element("small", source));
    }
    row.append(head, element("td", mean || "–", "number"), element("td", "", "interval"));
    cells.forEach((cell, column) => {
      const [letters, shade, place, words] = cell ?? ["", "", "", ""];
      const td = element("td", letters, `c ${shade ? `s${shade}` : ""} ${starts.has(column) ? "g" : ""}`);
      if (cell) {
        td.dataset.sort = place;
        td.title = words;
      }
      row.append(td);
    });
    return row;
  };

  function panel(row) {
    const found = valuesOf(row.dataset.key);
    const line = document.createElement("tr");
    line.className = "panel";
    const cell = line.insertCell();
    cell.colSpan = row.cells.length;
    const { name, family, source } = found[0] ?? {};
    const inner = document.createElement("table");
    const head = inner.createTHead().insertRow();
    ["Score", ...found.map((one) => one.layer.replaceAll("_", "-"))].forEach((text) => {
      const th = element("th", text);
      th.scope = "col";
      head.append(th);
    });
    const body = inner.createTBody();
    scores.forEach(([score, label], column) => {
      if (found.every((one) => one[score] === null)) return;
      const tr = body.insertRow();
      const th = element("th", label);
      th.scope = "row";
      tr.append(th);
      const best = row.cells[3 + column].title.match(/ at (.*), rank/)?.[1].split(", ") ?? [];
      found.forEach((one) => {
        const is = best.includes(one.layer.replaceAll("_", "-"));
        const value = one[score];
        tr.append(element("td", value === null ? "–" : String(Number(value.toPrecision(4))), is ? "number best" : "number"));
      });
    });
    cell.append(element("p", [name, family, source].filter(Boolean).join(" · ")), inner);
    return line;
  }

  function show() {
    table.querySelectorAll("tr.panel").forEach((line) => line.remove());
    table.querySelectorAll("tbody tr").forEach((row) => {
      const head = row.cells[0];
      if (!head.querySelector("button")) {
        const opener = document.createElement("button");
        opener.type = "button";
        opener.className = "opens";
        opener.append(...head.childNodes);
        head.append(opener);
      }
      const is = row.dataset.key === opened;
      head.querySelector("button").setAttribute("aria-expanded", is);
      if (is) row.after(panel(row));
    });
  }

  table.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr:not(.panel)");
    if (!row) return;
    opened = opened === row.dataset.key ? null : row.dataset.key;
    show();
    lossnets.address.changed("network");
  });
  figure.addEventListener("rows", show);
  lossnets.address.register("network", {
    read: () => (opened ? [["open", opened]] : []),
    write(pairs) {
      opened = Object.fromEntries(pairs).open ?? null;
      show();
    },
  });
  show();

  // Cards are open where there is room.
  const narrow = window.matchMedia("(max-width: 44rem)");
  const fold = () => figure.closest(".first-screen").querySelectorAll(".card").forEach((card) => (card.open = !narrow.matches));
  narrow.addEventListener("change", fold);
  fold();
})();
