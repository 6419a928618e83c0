// The explorer's scatter plot, as SVG: axes, line, points to choose by mouse, touch and keyboard.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes = {}, text = "") {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text) made.textContent = text;
    return made;
  }

  function axes(box, { x, y }, titles) {
    const group = element("g", { "aria-hidden": "true", class: "axes" });
    x.ticks.forEach((tick) => {
      const at = x.pixel(tick);
      group.append(element("line", { x1: at, x2: at, y1: box.top, y2: box.bottom }));
      const place = { x: at, y: box.bottom + 18, "text-anchor": "middle" };
      group.append(element("text", place, x.label(tick)));
    });
    y.ticks.forEach((tick) => {
      const at = y.pixel(tick);
      group.append(element("line", { x1: box.left, x2: box.right, y1: at, y2: at }));
      const place = { x: box.left - 7, y: at + 4, "text-anchor": "end" };
      group.append(element("text", place, y.label(tick)));
    });
    const middle = (box.top + box.bottom) / 2;
    const across = { x: (box.left + box.right) / 2, y: box.height - 6, class: "title" };
    const up = { x: 0, y: 0, transform: `translate(13 ${middle}) rotate(-90)`, class: "title" };
    group.append(element("text", across, titles.x), element("text", up, titles.y));
    return group;
  }

  function regression(box, scales, points) {
    const xs = points.map((point) => scales.x.forward(point.x));
    const ys = points.map((point) => scales.y.forward(point.y));
    const found = lossnets.coefficients.line(xs, ys);
    if (!found) return null;
    const ends = [Math.min(...xs), Math.max(...xs)];
    const at = ends.map((end) => scales.y.place(found.intercept + found.slope * end));
    if (!at.every(Number.isFinite)) return null;
    const [x1, x2] = ends.map(scales.x.place);
    const clip = element("svg", {
      "aria-hidden": "true",
      x: box.left,
      y: box.top,
      width: box.right - box.left,
      height: box.bottom - box.top,
      viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}`,
    });
    clip.append(element("line", { class: "regression", x1, x2, y1: at[0], y2: at[1] }));
    return clip;
  }

  function mark(point, index, { scales, marks, describe, size }) {
    const [x, y] = [scales.x.pixel(point.x), scales.y.pixel(point.y)];
    const group = element("g", {
      class: "point",
      role: "option",
      tabindex: index === 0 ? 0 : -1,
      "aria-label": describe(point).join(", "),
      "aria-selected": "false",
      transform: `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${size})`,
    });
    group.append(element("circle", { class: "ring", r: 8 }), marks(point));
    return group;
  }

  // Mouse and pen draw a rectangle; a finger scrolls the page and taps points.
  function brush(svg, box, pick) {
    let start = null;
    const area = element("rect", { class: "brush" });
    const at = (event) => {
      const frame = svg.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const rectangle = (event) => {
      const now = at(event);
      const [left, right] = [start[0], now[0]].sort((a, b) => a - b);
      const [top, bottom] = [start[1], now[1]].sort((a, b) => a - b);
      return { left, right, top, bottom };
    };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch" || event.target.closest(".point")) return;
      start = at(event);
      svg.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    svg.addEventListener("pointermove", (event) => {
      if (!start) return;
      const { left, right, top, bottom } = rectangle(event);
      Object.entries({ x: left, y: top, width: right - left, height: bottom - top }).forEach(
        ([key, value]) => area.setAttribute(key, value),
      );
      svg.append(area);
    });
    svg.addEventListener("pointerup", (event) => {
      if (!start) return;
      pick(rectangle(event), event.shiftKey);
      start = null;
      area.remove();
    });
    svg.addEventListener("pointercancel", () => {
      start = null;
      area.remove();
    });
  }

  // Arrow keys walk from point to point: left and right along x, up and down along y.
  function neighbour(points, current, key) {
    const along = key === "ArrowUp" || key === "ArrowDown" ? "y" : "x";
    const order = points.map((_, i) => i).sort((i, j) => points[i][along] - points[j][along]);
    if (key === "Home") return order[0];
    if (key === "End") return order[order.length - 1];
    const step = key === "ArrowRight" || key === "ArrowUp" ? 1 : -1;
    return order[Math.max(0, Math.min(order.length - 1, order.indexOf(current) + step))];
  }
  const WALKING = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

  function keyboard(svg, points, groups, act) {
    svg.addEventListener("keydown", (event) => {
      const current = groups.indexOf(event.target.closest(".point"));
      if (current < 0) return;
      if (WALKING.includes(event.key)) {
        groups[current].setAttribute("tabindex", -1);
        const next = groups[neighbour(points, current, event.key)];
        next.setAttribute("tabindex", 0);
        next.focus();
      } else if (event.key === " " || event.key === "Enter") act.toggle(points[current].key);
      else if (event.key === "Escape") act.choose([]);
      else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
        act.choose(points.map((point) => point.key));
      } else return;
      event.preventDefault();
    });
  }

  function tip(holder, groups, points, describe) {
    const box = holder.querySelector(".explorer-tip");
    const hide = () => (box.hidden = true);
    const show = (index) => {
      box.replaceChildren(
        ...describe(points[index]).map((line) => {
          const row = document.createElement("div");
          row.textContent = line;
          return row;
        }),
      );
      box.hidden = false;
      const [frame, at] = [holder, groups[index]].map((e) => e.getBoundingClientRect());
      const left = Math.min(at.left - frame.left + 16, frame.width - box.offsetWidth);
      box.style.left = `${Math.max(0, left)}px`;
      box.style.top = `${Math.max(0, at.top - frame.top - box.offsetHeight - 6)}px`;
    };
    groups.forEach((group, index) => {
      group.addEventListener("pointerenter", () => show(index));
      group.addEventListener("focus", () => show(index));
      group.addEventListener("pointerleave", hide);
      group.addEventListener("blur", hide);
    });
    hide();
  }

  function layout(width, height, points, log) {
    const box = { width, height, left: 66, right: width - 14, top: 10, bottom: height - 48 };
    const scale = (axis, from, to, count) =>
      lossnets.explorerScale({ values: points.map((p) => p[axis]), log: log[axis], from, to, count });
    const scales = {
      x: scale("x", box.left, box.right, Math.max(2, Math.round((box.right - box.left) / 90))),
      y: scale("y", box.bottom, box.top, Math.max(2, Math.round((box.bottom - box.top) / 60))),
    };
    return { box, scales };
  }

  // Draw `points` into the holder's svg; `act` is told what the reader chooses. Returns a
  // function that shows which keys are selected.
  lossnets.explorerPlot = function (holder, points, options) {
    const { width, height, log, titles, line, marks, size, describe, label, act } = options;
    const previous = holder.querySelector("svg");
    const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": label });
    previous.replaceWith(svg);
    if (!points.length) {
      svg.setAttribute("role", "img");
      const place = { x: width / 2, y: height / 2, "text-anchor": "middle", class: "empty" };
      svg.append(element("text", place, "Nothing to draw"));
      return () => {};
    }
    const { box, scales } = layout(width, height, points, log);
    svg.setAttribute("role", "listbox");
    svg.setAttribute("aria-multiselectable", "true");
    svg.append(axes(box, scales, titles));
    const through = line ? regression(box, scales, points) : null;
    if (through) svg.append(through);
    const groups = points.map((point, i) => mark(point, i, { scales, marks, describe, size }));
    groups.forEach((group, i) => {
      group.addEventListener("click", () => act.toggle(points[i].key));
    });
    svg.append(...groups);
    brush(svg, box, ({ left, right, top, bottom }, add) => {
      const inside = points.filter((point) => {
        const [x, y] = [scales.x.pixel(point.x), scales.y.pixel(point.y)];
        return x >= left && x <= right && y >= top && y <= bottom;
      });
      act.choose(inside.map((point) => point.key), add);
    });
    keyboard(svg, points, groups, act);
    tip(holder, groups, points, describe);
    return (selected) => {
      svg.classList.toggle("has-selection", selected.size > 0);
      groups.forEach((group, i) => group.setAttribute("aria-selected", selected.has(points[i].key)));
    };
  };
})();
