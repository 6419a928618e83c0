// Printed tables are sorted by their headings; long ones are searched and turned over.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const SHOWN = 30;
  const PRINTED = ":scope > .scroll > table.grid"; // what a part draws itself is its own
  const every = new Map();

  // The value that a cell is sorted by: a number where it starts with one, else its text.
  function value(cell) {
    const text = (cell?.dataset.sort ?? cell?.textContent ?? "").trim();
    const number = parseFloat(text.replaceAll(",", "").replace("−", "-").replace(/^[<≥]/, ""));
    return { text, number, empty: text === "" || text === "–" };
  }

  function compare(a, b) {
    if (a.empty || b.empty) return a.empty - b.empty || 0;
    const numbers = !Number.isNaN(a.number) && !Number.isNaN(b.number);
    return numbers ? a.number - b.number : a.text.localeCompare(b.text);
  }

  function button(text, act, label) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  // A row of cells: text, or [text, remark, marks].
  function line(cells, heads) {
    const row = document.createElement("tr");
    cells.forEach((given, column) => {
      const [text, remark, marks] = Array.isArray(given) ? given : [given, "", ""];
      const head = heads[column].matches(".head") && text;
      const cell = document.createElement(head ? "th" : "td");
      if (head) cell.scope = "row";
      cell.className = `${heads[column].className} ${marks}`.trim();
      cell.textContent = text;
      if (remark) {
        const small = document.createElement("small");
        small.textContent = remark;
        cell.append(small);
      }
      row.append(cell);
    });
    return row;
  }

  function enhance(figure) {
    const table = figure.querySelector(PRINTED);
    const later = figure.querySelector("script[data-later]");
    const bodies = [...table.tBodies];
    const state = { sort: null, down: false, page: 0, find: "" };
    let rows = null; // all rows, the ones kept as text included, in their first order

    const first = bodies.flatMap((body) => [...body.rows]).filter((row) => !row.matches(".group"));
    const count = first.length + (later ? Number(later.dataset.later) : 0);

    function all() {
      if (rows) return rows;
      const build = lossnets.rowOf?.[figure.id] ?? ((cells) => line(cells, heads));
      rows = [...first, ...(later ? JSON.parse(later.textContent).map(build) : [])];
      return rows;
    }

    function chosen() {
      const words = state.find.toLowerCase();
      const found = all().filter((row) => !words || row.textContent.toLowerCase().includes(words));
      if (state.sort === null) return found;
      const keyed = found.map((row, place) => ({ row, place, key: value(row.cells[state.sort]) }));
      const sign = state.down ? -1 : 1;
      keyed.sort((a, b) => {
        if (a.key.empty !== b.key.empty) return a.key.empty - b.key.empty;
        return sign * compare(a.key, b.key) || a.place - b.place;
      });
      return keyed.map(({ row }) => row);
    }

    const plain = () => state.sort === null && !state.find && !state.page && !rows;
    const body = document.createElement("tbody");

    function show() {
      heads.forEach((head, column) => {
        if (!head.querySelector("button")) return;
        head.setAttribute("aria-sort", state.sort !== column ? "none" : state.down ? "descending" : "ascending");
      });
      if (plain()) return;
      const found = chosen();
      const pages = Math.max(1, Math.ceil(found.length / SHOWN));
      state.page = Math.min(state.page, pages - 1);
      const unsorted = state.sort === null && !state.find && !later;
      if (unsorted) {
        // Back to the headings of its groups.
        body.remove();
        let next = 0;
        bodies.forEach((old) => {
          table.append(old);
          const size = Number(old.dataset.size);
          old.append(...rows.slice(next, (next += size)));
        });
      } else {
        bodies.forEach((old) => old.remove());
        body.replaceChildren(...(later ? found.slice(state.page * SHOWN, (state.page + 1) * SHOWN) : found));
        table.append(body);
      }
      if (pager) {
        pager.says.textContent = `${found.length ? state.page * SHOWN + 1 : 0}–${Math.min(found.length, (state.page + 1) * SHOWN)} of ${found.length}`;
        pager.back.disabled = state.page === 0;
        pager.on.disabled = state.page >= pages - 1;
      }
      figure.dispatchEvent(new CustomEvent("rows"));
    }

    function change(values) {
      Object.assign(state, values);
      show();
      lossnets.address.changed(figure.id);
    }

    bodies.forEach((old) => (old.dataset.size = [...old.rows].filter((row) => !row.matches(".group")).length));
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, column) => {
      if (head.dataset.unsorted !== undefined || !head.textContent.trim()) return;
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.className = "sorts";
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const same = state.sort === column;
        if (same && state.down) change({ sort: null, down: false, page: 0 });
        else change({ sort: column, down: same, page: 0 });
      });
    });

    let pager = null;
    if (later) {
      const box = document.createElement("div");
      box.className = "controls pager";
      const search = document.createElement("input");
      search.type = "search";
      search.placeholder = "Find …";
      search.setAttribute("aria-label", "Find rows");
      search.addEventListener("change", () => change({ find: search.value, page: 0 }));
      const says = document.createElement("span");
      says.setAttribute("role", "status");
      const back = button("‹", () => change({ page: state.page - 1 }), "Back");
      const on = button("›", () => change({ page: state.page + 1 }), "On");
      pager = { search, says, back, on };
      says.textContent = `1–${Math.min(count, SHOWN)} of ${count}`;
      back.disabled = true;
      box.append(search, says, back, on);
      table.closest(".scroll").before(box);
    }

    every.set(figure, () => chosen());
    lossnets.address.register(figure.id, {
      read: () =>
        Object.entries({ sort: state.sort, down: state.down ? 1 : null, page: state.page ? state.page + 1 : null, find: state.find || null })
          .filter(([, v]) => v !== null)
          .map(([k, v]) => [k, String(v)]),
      write(pairs) {
        const given = Object.fromEntries(pairs);
        const sort = Number(given.sort);
        state.sort = given.sort !== undefined && heads[sort] ? sort : null;
        state.down = given.down === "1";
        state.page = Math.max(0, (parseInt(given.page, 10) || 1) - 1);
        state.find = given.find ?? "";
        if (pager) pager.search.value = state.find;
        show();
      },
    });
  }

  // All rows of a table that are found, in their order, on whatever page they stand.
  lossnets.allRows = (figure) => every.get(figure)();

  document.querySelectorAll("figure.exhibit").forEach((figure) => {
    if (figure.querySelector(PRINTED)) enhance(figure);
  });
})();
