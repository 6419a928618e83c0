// Correlation coefficients and the least-squares line: arrays of equal length in, a number out,
// null where it is not defined. Ranks and pairs treat equal values as ties.
(function () {
  "use strict";

  // Deviations from the mean in units of the greatest value, so that no sum overflows.
  function deviations(values) {
    const size = Math.max(...values.map(Math.abs)) || 1;
    const scaled = values.map((value) => value / size);
    const mean = scaled.reduce((sum, value) => sum + value, 0) / values.length;
    return { size, mean, from: scaled.map((value) => value - mean) };
  }

  const constant = (values) => values.every((value) => value === values[0]);
  const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  function pearson(x, y) {
    if (x.length < 2 || constant(x) || constant(y)) return null;
    const [a, b] = [deviations(x).from, deviations(y).from];
    const r = product(a, b) / Math.sqrt(product(a, a)) / Math.sqrt(product(b, b));
    return Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : null;
  }

  // Ranks from 1, equal values share the mean of theirs.
  function ranks(values) {
    const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
    const found = new Array(values.length);
    for (let start = 0, end; start < order.length; start = end) {
      end = start + 1;
      while (end < order.length && values[order[end]] === values[order[start]]) end++;
      for (let i = start; i < end; i++) found[order[i]] = (start + 1 + end) / 2;
    }
    return found;
  }

  const spearman = (x, y) => pearson(ranks(x), ranks(y));

  // Kendall's tau-b.
  function kendall(x, y) {
    let agreement = 0;
    let untiedX = 0;
    let untiedY = 0;
    for (let i = 1; i < x.length; i++) {
      for (let j = 0; j < i; j++) {
        const a = Math.sign(x[i] - x[j]);
        const b = Math.sign(y[i] - y[j]);
        agreement += a * b;
        untiedX += a * a;
        untiedY += b * b;
      }
    }
    return untiedX && untiedY ? agreement / Math.sqrt(untiedX) / Math.sqrt(untiedY) : null;
  }

  // y = intercept + slope · x by least squares.
  function line(x, y) {
    if (x.length < 2 || constant(x)) return null;
    const [a, b] = [deviations(x), deviations(y)];
    const slope = (product(a.from, b.from) / product(a.from, a.from)) * (b.size / a.size);
    return { slope, intercept: b.mean * b.size - slope * a.mean * a.size };
  }

  window.lossnets.coefficients = { pearson, spearman, kendall, ranks, line };
})();
