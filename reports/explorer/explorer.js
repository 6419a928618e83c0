// The explorer: what the controls say becomes points, a plot, coefficients, a table, an address.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const root = document.querySelector("[data-explorer]");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const categories = new Map(
    JSON.parse(root.dataset.categories).map(([name, marks]) => [
      name,
      new Map(marks.map(([value, hue, shape]) => [value, { hue, shape }])),
    ]),
  );
  const { state, read, pairs, restore, reset } = lossnets.explorerState(root);
  const id = root.closest("figure").id;
  const LEAST_WIDTH = 240;
  const order = { key: "x", descending: false };
  let points = [];
  let showSelected = () => {};

  function variable(axis) {
    const { dataset, value } = root.querySelector(`[data-control="${axis}"]`).selectedOptions[0];
    return { ...dataset, field: value, direction: Number(dataset.direction) };
  }

  // Marks ------------------------------------------------------------------------------------

  // "VGG" of a family, "early" of a layer; a point of several best layers has no one layer.
  function style(dimension, value) {
    const fallback = { hue: root.dataset.grey, shape: "circle" };
    return categories.get(dimension)?.get(value) ?? fallback;
  }

  function symbol(hue, shape) {
    const path = root.querySelector(`[data-shape="${shape}"] path`).cloneNode();
    path.setAttribute("fill", hue);
    return path;
  }

  const marks = (point) =>
    symbol(
      style(state.colour, point[state.colour]).hue,
      style(state.shape, point[state.shape]).shape,
    );

  function legendOf(dimension, values) {
    const fieldset = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = dimension[0].toUpperCase() + dimension.slice(1);
    fieldset.append(legend);
    values.forEach((value) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = !state.hidden.has(`${dimension}:${value}`);
      box.dataset.hides = `${dimension}:${value}`;
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      swatch.setAttribute("class", "swatch");
      swatch.setAttribute("viewBox", "-6 -6 12 12");
      swatch.setAttribute("aria-hidden", "true");
      const hue = dimension === state.colour ? style(dimension, value).hue : root.dataset.grey;
      const shape = dimension === state.shape ? style(dimension, value).shape : "circle";
      swatch.append(symbol(hue, shape));
      label.append(box, swatch, value.replaceAll("_", "-"));
      fieldset.append(label);
    });
    return fieldset;
  }

  // Only categories that some point has; a dimension that hides something stays in sight.
  function drawLegend(all) {
    const active = document.activeElement && document.activeElement.dataset.hides;
    const shown = [...categories.keys()].flatMap((dimension) => {
      const hides = [...state.hidden].some((name) => name.startsWith(`${dimension}:`));
      if (![state.colour, state.shape].includes(dimension) && !hides) return [];
      const there = new Set(all.map((point) => point[dimension]));
      const values = [...categories.get(dimension).keys()].filter((value) => there.has(value));
      return values.length ? [legendOf(dimension, values)] : [];
    });
    part("legend").replaceChildren(...shown);
    const again = [...root.querySelectorAll("[data-hides]")].find((b) => b.dataset.hides === active);
    if (again) again.focus();
  }

  // Points -----------------------------------------------------------------------------------

  const visible = (point) =>
    [...categories.keys()].every((name) => !state.hidden.has(`${name}:${point[name]}`));

  // Why points are not drawn: said, not passed over in silence.
  function gaps(all, axes) {
    const reasons = [];
    const count = (n, text) => n && reasons.push(`${n} ${n === 1 ? "point" : "points"} ${text}`);
    Object.entries(axes).forEach(([axis, { label, log }]) => {
      count(all.filter((p) => p[axis] === null).length, `without a value of ${label}`);
      const low = all.filter((p) => log && p[axis] !== null && p[axis] <= 0).length;
      count(low, `of ${label} at or below zero, which a logarithmic axis cannot show`);
    });
    return reasons.length ? `Not drawn: ${reasons.join("; ")}.` : "";
  }

  const drawable = (point, log) =>
    ["x", "y"].every((axis) => point[axis] !== null && (!log[axis] || point[axis] > 0));

  function describe(point, titles) {
    const layer = point.layer ? `, ${point.layer.replaceAll("_", "-")}` : "";
    const source = point.source === "any" ? [] : [`${point.family ?? ""} · ${point.source}`];
    const values = ["x", "y"].map((axis) => `${titles[axis]}: ${lossnets.shortNumber(point[axis], 6)}`);
    return [`${point.name}${layer}`, ...source, ...values];
  }

  function remarks(x, y, log) {
    const said = [];
    if (state.view === "all") {
      said.push("The points of one architecture are no independent observations: the rows within layers and the number of architectures are what counts.");
    }
    const chosen = [x, y].some((v) => v.level === "loss_network");
    const scored = [x, y].some((v) => v.level === "score");
    if (state.view === "best" && chosen && scored) {
      said.push("The attribute is that of the layer at which the score is best: the score chose it, so a correlation proves little.");
    }
    if (log.x || log.y) said.push("Pearson's coefficient and the line are those of the logarithms.");
    return said.join(" ");
  }

  // Drawing ----------------------------------------------------------------------------------

  const COLUMNS = ["name", "family", "layer", "source"];

  function draw() {
    const [x, y] = [variable("x"), variable("y")];
    const log = { x: state.logx, y: state.logy };
    const titles = { x: x.title, y: y.title };
    const all = lossnets.explorerPoints(lossnets.rows(root.dataset.dataset), x, y, state.view);
    drawLegend(all);
    const kept = all.filter(visible);
    points = kept
      .filter((point) => drawable(point, log))
      .map((point) => ({ ...point, label: describe(point, titles).slice(0, 2).join(", ") }))
      .sort((a, b) => a.x - b.x || a.y - b.y || (a.key < b.key ? -1 : 1));
    part("gaps").textContent = gaps(kept, {
      x: { label: x.label, log: log.x },
      y: { label: y.label, log: log.y },
    });
    part("remarks").textContent = remarks(x, y, log);
    part("help-x").textContent = x.help;
    part("help-y").textContent = y.help;
    showSelected = lossnets.explorerPlot(part("plot"), points, {
      width: Math.max(part("plot").clientWidth, LEAST_WIDTH),
      height: Number(root.dataset.height),
      size: Math.sqrt(Number(root.dataset.point)) / 8,
      log,
      titles: {
        x: x.title + (log.x ? ", log scale" : ""),
        y: y.title + (log.y ? ", log scale" : ""),
      },
      line: state.line,
      marks,
      describe: (point) => describe(point, titles),
      label: `${y.title} against ${x.title}, ${points.length} points`,
      act: { toggle, choose },
    });
    drawTable();
    selectionChanged();
  }

  function drawTable() {
    const columns = [
      ...COLUMNS.map((key) => ({ key, label: key === "name" ? "architecture" : key })),
      { key: "x", label: variable("x").title, number: true },
      { key: "y", label: variable("y").title, number: true },
    ];
    const only = part("only").checked;
    lossnets.explorerTable(part("table"), points, columns, {
      order, sort, toggle, only, selected: state.selected,
    });
  }

  function sort(key) {
    order.descending = order.key === key && !order.descending;
    order.key = key;
    drawTable();
    const index = [...COLUMNS, "x", "y"].indexOf(key);
    part("table").tHead.querySelectorAll("button")[index].focus();
  }

  // Selection --------------------------------------------------------------------------------

  function selectionChanged() {
    const there = new Set(points.map((point) => point.key));
    const selected = new Set([...state.selected].filter((key) => there.has(key)));
    showSelected(selected);
    if (part("only").checked) drawTable();
    else lossnets.explorerTableSelection(part("table"), selected);
    const rows = part("table").tBodies[0].rows.length;
    const cut = rows < points.length && !part("only").checked ? `, the first ${rows} of them listed` : "";
    part("count").textContent = `${selected.size} of ${points.length} selected${cut}`;
    lossnets.explorerCoefficients(part("coefficients"), points, {
      log: { x: state.logx, y: state.logy },
      selected,
      view: state.view,
    });
    part("link").href = lossnets.address.fragment(id);
  }

  function toggle(key) {
    state.selected.has(key) ? state.selected.delete(key) : state.selected.add(key);
    selectionChanged();
    remember();
  }

  function choose(keys, add = false) {
    state.selected = new Set(add ? [...state.selected, ...keys] : keys);
    selectionChanged();
    remember();
  }

  // The address follows what the reader does, and leads back to it.
  const remember = () => lossnets.address.changed(id);

  // Events -----------------------------------------------------------------------------------

  root.addEventListener("change", (event) => {
    const { hides, control } = event.target.dataset;
    if (hides) event.target.checked ? state.hidden.delete(hides) : state.hidden.add(hides);
    if (!hides && !control) return;
    read();
    draw();
    remember();
  });
  part("only").addEventListener("change", drawTable);
  part("clear").addEventListener("click", () => choose([]));
  part("swap").addEventListener("click", () => {
    const [x, y] = ["x", "y"].map((axis) => root.querySelector(`[data-control="${axis}"]`));
    const [logx, logy] = ["logx", "logy"].map((name) => root.querySelector(`[data-control="${name}"]`));
    [x.value, y.value] = [y.value, x.value];
    [logx.checked, logy.checked] = [logy.checked, logx.checked];
    read();
    draw();
    remember();
  });
  part("reset").addEventListener("click", () => {
    reset();
    draw();
    remember();
  });
  part("csv").addEventListener("click", () => {
    const fields = [variable("x").field, variable("y").field];
    const records = points.map((point) => ({
      ...Object.fromEntries(["source", "architecture", "name", "family", "layer"].map((k) => [k, point[k]])),
      [fields[0]]: point.x,
      [fields[1]]: point.y,
      selected: state.selected.has(point.key),
    }));
    const keys = ["source", "architecture", "name", "family", "layer", ...new Set(fields), "selected"];
    lossnets.save("explorer_view.csv", lossnets.toCsv(keys, records), "text/csv");
  });
  part("find").addEventListener("change", ({ target }) => {
    const words = target.value.trim().toLowerCase();
    choose(points.filter(({ label }) => words && label.toLowerCase().includes(words)).map(({ key }) => key));
  });

  let width = 0; // none as long as nothing is drawn
  function first() {
    width = part("plot").clientWidth;
    draw();
    root.dataset.drawn = "true";
  }
  new ResizeObserver(() => {
    if (!width || Math.abs(part("plot").clientWidth - width) < 2) return;
    width = part("plot").clientWidth;
    draw();
  }).observe(part("plot"));

  lossnets.address.register(id, {
    read: pairs,
    write(given) {
      if (JSON.stringify(given) === JSON.stringify(pairs())) return;
      restore(given);
      if (width) draw();
    },
  });
  lossnets.whenNear(part("plot"), first);
})();
