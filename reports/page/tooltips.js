// Tooltips without a mouse: arrow keys walk over a chart's marks, a tap shows the one under it.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const MARKS = "[class*=role-mark] > path, [class*=role-mark] > line";
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  // The marks of a drawn chart that have something to say, from left to right.
  function marks(container) {
    return [...container.querySelectorAll(MARKS)]
      .filter((mark) => mark.__data__?.tooltip)
      .map((mark) => ({ mark, box: mark.getBoundingClientRect() }))
      .sort((a, b) => a.box.left - b.box.left || a.box.top - b.box.top);
  }

  function tell(view, found) {
    const { mark, box } = found ?? {};
    const event = { clientX: box ? box.left + box.width / 2 : 0, clientY: box ? box.bottom : 0 };
    view.tooltip()(view, event, mark?.__data__ ?? null, mark?.__data__.tooltip ?? null);
  }

  // viewOf: gives the view that a chart's container holds now.
  lossnets.tooltipsOf = function (container, viewOf) {
    let at = -1;
    container.tabIndex = 0;
    container.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (event.key === "Escape") return tell(viewOf(), null);
      if (!step) return;
      const all = marks(container);
      if (!all.length) return;
      event.preventDefault();
      at = (Math.max(at, step < 0 ? 0 : -1) + step + all.length) % all.length;
      tell(viewOf(), all[at]);
    });
    container.addEventListener("blur", () => {
      at = -1;
      if (viewOf()) tell(viewOf(), null);
    });
    container.addEventListener("pointerup", (event) => {
      if (event.pointerType !== "touch") return;
      const under = event.target.closest("path, line");
      if (under?.__data__?.tooltip) tell(viewOf(), { mark: under, box: under.getBoundingClientRect() });
    });
  };
})();
