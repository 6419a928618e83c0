// What stands under the explorer's plot: coefficients, and the points as a table to choose from.
(function () {
  "use strict";
  const MOST = 100; // rows of the table; the CSV has all
  const lossnets = window.lossnets;
  const LEAST = 3; // points that a coefficient takes

  function cell(row, content, tag = "td", className = "") {
    const made = document.createElement(tag);
    if (tag === "th") made.scope = row.parentElement.tagName === "THEAD" ? "col" : "row";
    if (className) made.className = className;
    made.append(content);
    row.append(made);
    return made;
  }

  const correlations = ({ x, y }) =>
    ["pearson", "spearman", "kendall"].map((name) => lossnets.coefficients[name](x, y));
  const decimals = (value) => (value === null ? "–" : value.toFixed(3).replace("-", "−"));

  // x and y as drawn: logarithms where the axis is logarithmic.
  function axes(points, log) {
    const values = (axis) => points.map((p) => (log[axis] ? Math.log10(p[axis]) : p[axis]));
    return { x: values("x"), y: values("y") };
  }

  function withinLayers(points, log) {
    const layers = [...new Set(points.map((point) => point.layer))];
    const each = layers
      .map((layer) => points.filter((point) => point.layer === layer))
      .filter((own) => own.length >= LEAST)
      .map((own) => correlations(axes(own, log)));
    return [0, 1, 2].map((i) => {
      const found = each.map((row) => row[i]).filter((value) => value !== null);
      return found.length ? found.reduce((sum, value) => sum + value / found.length, 0) : null;
    });
  }

  function coefficientRows(points, { log, selected, view }) {
    const architectures = new Set(points.map((point) => point.architecture)).size;
    const of = (own) => (own.length < LEAST ? [null, null, null] : correlations(axes(own, log)));
    const many = points.length > architectures ? `, ${architectures} architectures` : "";
    const rows = [["All points shown", `${points.length}${many}`, of(points)]];
    if (view === "all") rows.push(["Mean of those within each layer", "", withinLayers(points, log)]);
    const chosen = points.filter((point) => selected.has(point.key));
    if (chosen.length) rows.push(["Selected points", `${chosen.length}`, of(chosen)]);
    return rows;
  }

  lossnets.explorerCoefficients = function (body, points, options) {
    body.replaceChildren();
    coefficientRows(points, options).forEach(([label, n, values]) => {
      const row = body.insertRow();
      cell(row, label, "th");
      cell(row, n, "td", "number");
      values.forEach((value) => cell(row, decimals(value), "td", "number"));
    });
  };

  function compare(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en");
  }

  function chooser(row, point, { selected, toggle }) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = selected.has(point.key);
    box.setAttribute("aria-label", `Select ${point.label}`);
    box.addEventListener("change", () => toggle(point.key));
    cell(row, box);
    row.classList.toggle("selected", box.checked);
    row.dataset.key = point.key;
  }

  // columns: {key, label, number}; order: {key, descending}, changed by `sort(key)`.
  lossnets.explorerTable = function (table, points, columns, options) {
    const { order, sort, only, selected } = options;
    const head = table.tHead.rows[0];
    head.replaceChildren();
    cell(head, "Select", "th");
    columns.forEach(({ key, label, number }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => sort(key));
      const made = cell(head, button, "th", number ? "number" : "");
      const direction = order.descending ? "descending" : "ascending";
      if (order.key === key) made.setAttribute("aria-sort", direction);
    });
    const sign = order.descending ? -1 : 1;
    const shown = only && selected.size ? points.filter((p) => selected.has(p.key)) : [...points];
    shown.sort((a, b) => sign * compare(a[order.key], b[order.key]));
    const body = table.tBodies[0];
    body.replaceChildren();
    shown.slice(0, MOST).forEach((point) => {
      const row = body.insertRow();
      chooser(row, point, options);
      columns.forEach(({ key, number }) => {
        const value = number && point[key] !== null ? lossnets.shortNumber(point[key], 6) : point[key];
        const said = key === "layer" ? value?.replaceAll("_", "-") : value;
        cell(row, said ?? "–", "td", number ? "number" : "");
      });
    });
  };

  // Show a changed selection without making the table anew, so that the focus stays.
  lossnets.explorerTableSelection = function (table, selected) {
    [...table.tBodies[0].rows].forEach((row) => {
      const on = selected.has(row.dataset.key);
      row.classList.toggle("selected", on);
      row.querySelector("input").checked = on;
    });
  };
})();
