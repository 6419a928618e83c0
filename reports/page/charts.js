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
      .map((row) => ({ ...row }));
  }

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

  // A specification that is ready to embed: its data, filtered, and a width.
  lossnets.specification = function (figure, width) {
    const spec = structuredClone(lossnets.charts[figure]);
    const conditions = allowed(figure);
    spec.datasets = {};
    datasets(spec).forEach((name) => (spec.datasets[name] = filtered(name, conditions)));
    fitPanels(spec, width);
    fitRows(spec);
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

  async function show(container) {
    const figure = container.dataset.chart;
    const config = structuredClone(lossnets.config);
    const legend = document.querySelector(`fieldset [data-figure="${figure}"]`);
    if (legend) config.legend.disable = true; // the checkboxes are the legend
    const labelLimit = Math.max(90, Math.min(220, 0.28 * container.clientWidth));
    config.axisY = { ...config.axisY, labelLimit };
    const spec = lossnets.specification(figure, container.clientWidth);
    const previous = views.get(figure);
    const { view } = await lossnets.draw(container, spec, config);
    if (previous) previous.finalize();
    views.set(figure, view);
    // The container is one image with a text alternative; its parts are no images of their own.
    container.querySelector("svg").setAttribute("aria-hidden", "true");
    container.dataset.drawn = "true";
  }

  async function filter(figure) {
    if (lossnets.charts[figure].usermeta) {
      return show(document.querySelector(`[data-chart="${figure}"]`)); // as high as its rows
    }
    const view = views.get(figure);
    const conditions = allowed(figure);
    datasets(lossnets.charts[figure]).forEach((name) => view.data(name, filtered(name, conditions)));
    await view.runAsync();
  }

  document.addEventListener("change", (event) => {
    const figure = event.target.dataset && event.target.dataset.figure;
    if (figure && views.has(figure)) filter(figure);
  });

  // Facets do not follow their container by themselves.
  const widths = new Map();
  const observer = new ResizeObserver((entries) => {
    entries.forEach(({ target }) => {
      const width = target.clientWidth;
      const changed = Math.abs(width - widths.get(target)) > 8;
      if (changed && lossnets.charts[target.dataset.chart].columns) {
        widths.set(target, width);
        show(target);
      }
    });
  });

  async function showAll() {
    for (const container of document.querySelectorAll("[data-chart]")) {
      widths.set(container, container.clientWidth);
      await show(container);
      observer.observe(container);
    }
    document.documentElement.dataset.charts = "drawn";
  }

  showAll();
})();
