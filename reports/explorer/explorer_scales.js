// Axes of the explorer: from values to pixels, linear or logarithmic, with round ticks.
(function () {
  "use strict";
  const SUFFIXES = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];

  // A number as a tick or a table shows it: 1,500 → 1.5k from ten thousand on.
  function short(value, digits = 4) {
    const size = Math.abs(value);
    const minus = (text) => text.replace("-", "−");
    if (size !== 0 && (size >= 1e15 || size < 1e-4)) return minus(value.toExponential(2));
    const [unit, suffix] = (size >= 1e4 && SUFFIXES.find(([unit]) => size >= unit)) || [1, ""];
    return minus(String(Number((value / unit).toPrecision(digits)))) + suffix;
  }

  function roundStep(span, count) {
    const raw = span / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const [step] = [[1, 1.5], [2, 3.5], [5, 7.5], [10, 11]].find(([, below]) => raw / power < below);
    return power * step;
  }

  function linearTicks(low, high, count) {
    const step = roundStep(high - low, count);
    if (!Number.isFinite(step) || step <= 0) return [low, high];
    const ticks = [];
    for (let i = Math.ceil(low / step); i * step <= high && ticks.length < 50; i++) {
      ticks.push(Number((i * step).toPrecision(12)));
    }
    return ticks;
  }

  // In powers of ten, with 2 and 5 between them where there is room; linear within a decade.
  function logTicks(low, high, count) {
    const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    if (Math.log10(high / low) < 1) return linearTicks(low, high, count).filter((t) => t > 0);
    const within = to - from <= count / 2 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil((to - from) / count));
    const ticks = [];
    for (let power = from; power <= to; power += every) {
      within.forEach((factor) => ticks.push(Number((factor * 10 ** power).toPrecision(12))));
    }
    return ticks.filter((tick) => tick >= low && tick <= high);
  }

  // low, high: the least and greatest value; from, to: pixels; count: about how many ticks.
  window.lossnets.explorerScale = function ({ values, log, from, to, count }) {
    const forward = log ? Math.log10 : (value) => value;
    const backward = log ? (value) => 10 ** value : (value) => value;
    let low = Math.min(...values.map(forward));
    let high = Math.max(...values.map(forward));
    const margin = low === high ? Math.abs(low) * 0.05 || 1 : high * 0.05 - low * 0.05;
    low = Math.max(low - margin, -Number.MAX_VALUE);
    high = Math.min(high + margin, Number.MAX_VALUE);
    const half = high / 2 - low / 2; // halves: the whole may be more than a number holds
    const ticks = (log ? logTicks : linearTicks)(backward(low), backward(high), count);
    return {
      forward,
      domain: [low, high],
      ticks,
      label: short,
      pixel: (value) => from + ((forward(value) / 2 - low / 2) / half) * (to - from),
      // a value on the transformed axis, as the regression line is computed in
      place: (value) => from + ((value / 2 - low / 2) / half) * (to - from),
    };
  };
  window.lossnets.shortNumber = short;
})();
