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

  function panel(row) {
    const found = valuesOf(row.dataset.key);
    const layers = [...new Set(found.map((one) => one.layer))];
    const scores = [...new Set(found.map((one) => one.label))];
    const line = document.createElement("tr");
    line.className = "panel";
    const cell = line.insertCell();
    cell.colSpan = row.cells.length;
    const title = document.createElement("p");
    title.textContent = `${found[0]?.name ?? ""} · ${found[0]?.family ?? ""} · ${found[0]?.source ?? ""}`;
    const inner = document.createElement("table");
    const head = inner.createTHead().insertRow();
    ["Score", ...layers.map((layer) => layer.replaceAll("_", "-"))].forEach((text) => {
      const th = document.createElement("th");
      th.scope = "col";
      th.textContent = text;
      head.append(th);
    });
    const body = inner.createTBody();
    scores.forEach((score) => {
      const tr = body.insertRow();
      const th = document.createElement("th");
      th.scope = "row";
      th.textContent = score;
      tr.append(th);
      layers.forEach((layer) => {
        const one = found.find((row) => row.label === score && row.layer === layer);
        const td = tr.insertCell();
        td.className = one?.best ? "number best" : "number";
        td.textContent = one ? String(Number(one.value.toPrecision(4))) : "–";
      });
    });
    cell.append(title, inner);
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
