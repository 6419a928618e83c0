// The data block: rows of a dataset by name, decoded when first asked for.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const block = JSON.parse(document.getElementById("data").textContent);
  const decoded = new Map();

  function column(values) {
    if (Array.isArray(values)) return values;
    if (values.runs) return values.runs.flatMap((value, run) => Array(values.counts[run]).fill(value));
    return values.codes.map((code) => (code === null ? null : values.levels[code]));
  }

  lossnets.config = block.config;
  lossnets.charts = block.charts;
  lossnets.latex = block.latex;
  lossnets.fields = (name) => block.datasets[name].fields.map(([field]) => field);
  // How many values a field has, without the rows.
  lossnets.distinct = function (name, field) {
    const found = (block.datasets[name]?.fields ?? []).find(([known]) => known === field);
    if (!found) return 0;
    return found[1].levels?.length ?? new Set(found[1].runs ?? found[1]).size;
  };
  lossnets.rows = function (name) {
    if (!decoded.has(name)) {
      const { rows, fields } = block.datasets[name];
      const made = Array.from({ length: rows }, () => ({}));
      fields.forEach(([field, values]) => column(values).forEach((value, row) => (made[row][field] = value)));
      decoded.set(name, made);
    }
    return decoded.get(name);
  };
})();
