// Draws the charts, fits them to the page, and filters them by the controls beside them.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const views = new Map();

  function datasets(spec, found = new Set()) {
    if (spec && typeof spec === "object") {
      if (spec.data && spec.data.name) found.add(spec.data.name);
      Object.values(spec).forEach((part) => datasets(part, found));
    }
    return found;
  }

  // What the controls of a figure let through: {field: Set of values}.
  function allowed(figure) {
    const conditions = {};
    document.querySelectorAll(`[data-figure="${figure}"]`).forEach((control) => {
      const values = (conditions[control.dataset.field] ??= new Set());
      if (control.tagName === "SELECT" || control.checked) values.add(control.value);
    });
    return Object.entries(conditions);
  }

  // Rows are copied: Vega marks the objects that it is given.
  function filtered(name, conditions) {
    return lossnets
      .rows(name)
      .filter((row) =>
        conditions.every(([field, values]) => !(field in row) || values.has(String(row[field]))),
      )
      .map((row) => {
        const copy = { ...row };
        for (const field in copy) copy[field] = spoken(copy[field]);
        return copy;
      });
  }

  // Layers as people call them, in data and specifications alike; controls keep the ids.
  const spoken = (value) => (typeof value === "string" ? value.replaceAll("semi_early", "semi-early") : value);

  function fitPanels(spec, width) {
    if (!spec.columns) return;
    const panel = (spec.spec && spec.spec.width) || 150;
    const room = width - 64;
    const columns = Math.max(1, Math.min(spec.columns, Math.floor(room / (panel * 0.8 + 18))));
    spec.columns = columns;
    spec.spec.width = Math.min(Math.floor(room / columns) - 18, 2 * panel);
  }

  // Charts with one row a category are as high as the categories that the controls let through.
  function fitRows(spec) {
    const { rows, step } = spec.usermeta || {};
    if (!rows) return;
    const found = new Set();
    Object.values(spec.datasets).forEach((data) =>
      data.forEach((row) => rows in row && row[rows] !== null && found.add(row[rows])),
    );
    spec.height = step * Math.max(found.size, 1);
  }

  // Where there is little room: titles of axes in several lines, legends in few columns.
  function wrapped(title, room) {
    const most = Math.max(12, Math.floor(room / 7.2));
    const lines = [""];
    title.split(" ").forEach((word) => {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length > most && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = longer;
    });
    return lines.length > 1 ? lines : title;
  }

  function fitTitles(part, width) {
    if (!part || typeof part !== "object") return;
    ["x", "y"].forEach((axis) => {
      const channel = part[axis];
      if (channel && typeof channel.title === "string") channel.title = wrapped(channel.title, axis === "x" ? width - 110 : 300);
    });
    Object.entries(part).forEach(([key, inner]) => key !== "datasets" && fitTitles(inner, width));
  }

  // A specification that is ready to embed: its data, filtered, and a width.
  lossnets.specification = function (figure, width) {
    const spec = JSON.parse(spoken(JSON.stringify(lossnets.charts[figure])));
    const conditions = allowed(figure);
    spec.datasets = {};
    datasets(spec).forEach((name) => (spec.datasets[name] = filtered(name, conditions)));
    fitPanels(spec, width);
    fitRows(spec);
    fitTitles(spec, width);
    return spec;
  };

  lossnets.draw = function (container, spec, config) {
    return lossnets.embed(container, spec, {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      actions: false,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true, theme: "lossnets" },
      config: config,
    });
  };

  const containers = new Map(
    [...document.querySelectorAll("[data-chart]")].map((one) => [one.dataset.chart, one]),
  );

  // In a fold that is closed nothing has a width: it will have that of its section.
  const widthOf = (container) =>
    container.clientWidth || container.closest("section").clientWidth || 600;

  async function show(figure) {
    const container = containers.get(figure);
    const width = widthOf(container);
    const config = structuredClone(lossnets.config);
    const legend = document.querySelector(`fieldset [data-figure="${figure}"]`);
    if (legend) config.legend.disable = true; // the checkboxes are the legend
    if (width < 520) config.legend = { ...config.legend, columns: 3, labelLimit: 90 };
    const labelLimit = Math.max(90, Math.min(220, 0.28 * width));
    config.axisY = { ...config.axisY, labelLimit };
    const spec = lossnets.specification(figure, width);
    // A map keeps its numbers: where the page is narrow it scrolls.
    const { least } = spec.usermeta ?? {};
    const scrolls = least > 0 && least + labelLimit + 40 > width;
    container.classList.toggle("scrolls", scrolls);
    if (scrolls) spec.width = least;
    if (!container.clientWidth && spec.width === "container") spec.width = width - 90;
    const previous = views.get(figure);
    const { view } = await lossnets.draw(container, spec, config);
    if (previous) previous.finalize();
    views.set(figure, view);
    // The container is one image with a text alternative; its parts are no images of their own.
    container.setAttribute("role", "img");
    container.setAttribute("aria-label", container.dataset.says);
    container.querySelector("svg").setAttribute("aria-hidden", "true");
    container.style.minHeight = "";
    container.dataset.drawn = "true";
  }

  async function filter(figure) {
    if (!views.has(figure)) return; // it is drawn as it is chosen
    if (lossnets.charts[figure].usermeta) return show(figure); // as high as its rows
    const view = views.get(figure);
    const conditions = allowed(figure);
    datasets(lossnets.charts[figure]).forEach((name) => view.data(name, filtered(name, conditions)));
    await view.runAsync();
  }

  // The room that a chart will take, so that nothing moves when it is drawn.
  function reserve(figure) {
    const container = containers.get(figure);
    const chart = lossnets.charts[figure];
    const names = [...datasets(chart)];
    const most = (field) => Math.max(1, ...names.map((name) => lossnets.distinct(name, field)));
    const spec = structuredClone({ columns: chart.columns, spec: chart.spec && { width: chart.spec.width } });
    fitPanels(spec, widthOf(container));
    const { rows, step } = chart.usermeta ?? {};
    const inner = (chart.spec ?? chart.vconcat?.[0] ?? chart).height;
    let height = (rows ? step * most(rows) : typeof inner === "number" ? inner : 300) + 64;
    if (spec.columns && chart.facet) {
      height = Math.ceil(most(chart.facet.field) / spec.columns) * (inner + 62) + 24;
    }
    container.style.minHeight = `${Math.round(height)}px`;
  }

  // Choices ----------------------------------------------------------------------------------

  const controlsOf = (figure) => [...document.querySelectorAll(`[data-figure="${figure}"]`)];

  function choices(figure) {
    const start = (select) => [...select.options].find((o) => o.defaultSelected) ?? select.options[0];
    return controlsOf(figure).flatMap((control) => {
      const { field } = control.dataset;
      if (control.tagName !== "SELECT") return control.checked ? [] : [["hide", `${field}:${control.value}`]];
      return control.value === start(control).value ? [] : [[field, control.value]];
    });
  }

  function choose(figure, pairs) {
    const before = JSON.stringify(choices(figure));
    controlsOf(figure).forEach((control) => {
      const { field } = control.dataset;
      if (control.tagName !== "SELECT") {
        control.checked = !pairs.some(([k, v]) => k === "hide" && v === `${field}:${control.value}`);
        return;
      }
      const values = [...control.options].map((option) => option.value);
      const given = pairs.find(([key]) => key === field)?.[1];
      control.value = values.includes(given) ? given : values[0];
    });
    if (JSON.stringify(choices(figure)) !== before) filter(figure);
  }

  document.addEventListener("change", (event) => {
    const figure = event.target.dataset && event.target.dataset.figure;
    if (!figure) return;
    filter(figure);
    lossnets.address.changed(figure);
  });

  // Drawing ----------------------------------------------------------------------------------

  const widths = new Map();

  async function first(figure) {
    const container = containers.get(figure);
    widths.set(container, container.clientWidth);
    await show(figure);
    observer.observe(container);
  }

  // Facets do not follow their container by themselves; a fold that opens has a width.
  const observer = new ResizeObserver((entries) => {
    entries.forEach(({ target }) => {
      const width = target.clientWidth;
      const changed = Math.abs(width - widths.get(target)) > 8;
      const unfolded = !widths.get(target);
      if (changed && width && (unfolded || lossnets.charts[target.dataset.chart].columns)) {
        widths.set(target, width);
        show(target.dataset.chart);
      }
    });
  });

  containers.forEach((container, figure) => {
    reserve(figure);
    lossnets.whenNear(container, () => first(figure));
    lossnets.tooltipsOf(container, () => views.get(figure));
    lossnets.address.register(figure, {
      read: () => choices(figure),
      write: (pairs) => choose(figure, pairs),
    });
  });
})();
