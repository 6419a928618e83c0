// From the loss networks' rows to the points of a view: what each axis shows for each of them.
(function () {
  "use strict";

  // Sums in another order must not break ties.
  const rounded = (value) => (value === null ? null : Number(value.toPrecision(12)));
  const mean = (values) =>
    values.length ? rounded(values.reduce((sum, v) => sum + v / values.length, 0)) : null;
  const known = (rows, field) => rows.filter((row) => row[field] !== null);
  const ofSource = (variable) => variable.level === "score" || variable.level === "rank";

  function grouped(rows, key) {
    const groups = new Map();
    rows.forEach((row) => {
      const name = key(row);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    });
    return [...groups.values()];
  }

  // The rows of an architecture where a score is best.
  function bestRows(rows, score) {
    const there = known(rows, score.field);
    const oriented = there.map((row) => score.direction * row[score.field]);
    const best = Math.max(...oriented);
    return there.filter((_, i) => oriented[i] === best);
  }

  // The mean over the extraction layers, null where the architecture lacks one of them.
  function meanOverLayers(rows, field, layers) {
    const values = known(rows, field).filter((row) => row.layer_position !== null);
    return values.length === layers ? mean(values.map((row) => row[field])) : null;
  }

  // What an axis shows for one architecture. An attribute of the loss network at "the best
  // layer" is that of the other axis' score; without a score there, its mean over layers.
  function ofArchitecture(variable, other, rows, view, layers) {
    const there = known(rows, variable.field);
    if (!there.length) return null;
    if (variable.level === "architecture" || variable.level === "rank") {
      return there[0][variable.field];
    }
    if (view === "mean") return meanOverLayers(rows, variable.field, layers);
    if (variable.level === "score") return bestRows(rows, variable)[0][variable.field];
    if (other.level !== "score") return meanOverLayers(rows, variable.field, layers);
    return mean(known(bestRows(rows, other), variable.field).map((row) => row[variable.field]));
  }

  function layerOfArchitecture(x, y, rows, view) {
    const score = [y, x].find((variable) => variable.level === "score");
    if (view !== "best" || !score) return "";
    return bestRows(rows, score)
      .map((row) => row.layer)
      .join(", ");
  }

  function architecturePoints(rows, x, y, view) {
    return grouped(rows, (row) => JSON.stringify([row.source, row.architecture])).map((own) => {
      const source = own[0].source;
      const layers = new Set(
        rows.filter((r) => r.source === source && r.layer_position !== null).map((r) => r.layer),
      ).size;
      return {
        ...own[0],
        layer: layerOfArchitecture(x, y, own, view),
        x: ofArchitecture(x, y, own, view, layers),
        y: ofArchitecture(y, x, own, view, layers),
      };
    });
  }

  function layerPoints(rows, x, y, view) {
    const chosen = view === "all" ? rows : rows.filter((row) => `layer:${row.layer}` === view);
    return chosen.map((row) => ({ ...row, x: row[x.field], y: row[y.field] }));
  }

  // Attributes do not depend on the source: one row a loss network then.
  function withoutSource(rows) {
    const keyed = grouped(rows, (row) => JSON.stringify([row.architecture, row.layer]));
    return keyed.map(([row]) => ({ ...row, source: "any" }));
  }

  // view: "best", "mean", "all" (a point a loss network) or "layer:" and its name.
  window.lossnets.explorerPoints = function (rows, x, y, view) {
    const used = ofSource(x) || ofSource(y) ? rows : withoutSource(rows);
    const byArchitecture = view === "best" || view === "mean";
    const points = (byArchitecture ? architecturePoints : layerPoints)(used, x, y, view);
    return points.map((point) => ({
      ...point,
      key: [point.source, point.architecture, byArchitecture ? "" : point.layer].join("|"),
    }));
  };
})();
