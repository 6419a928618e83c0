// Printed tables are sorted by their headings; long ones are searched and turned over.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const SHOWN = 30;
  const PRINTED = ":scope > .scroll > table.grid"; // what a part draws itself is its own
  const PRINTABLE = 200; // rows of a table that paper gets
  const every = new Map();

  // The value that a cell is sorted by: a number where it starts with one, else its text.
  function value(cell) {
    const text = (cell?.dataset.sort ?? cell?.textContent ?? "").trim();
    const number = parseFloat(text.replaceAll(",", "").replace("−", "-").replace(/^[<≥]/, ""));
    return { text, number, empty: text === "" || text === "–" };
  }

  function compare(a, b) {
    const numbers = !Number.isNaN(a.number) && !Number.isNaN(b.number);
    return numbers ? a.number - b.number : a.text.localeCompare(b.text);
  }

  function sorted(found, column, down) {
    const sign = down ? -1 : 1;
    return found
      .map((one, place) => ({ one, place, key: value(one.row.cells[column]) }))
      .sort((a, b) => a.key.empty - b.key.empty || (a.key.empty ? 0 : sign * compare(a.key, b.key)) || a.place - b.place)
      .map(({ one }) => one);
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    Object.entries(attributes).forEach(([key, given]) => made.setAttribute(key, given));
    return made;
  }

  // A row of cells: text, or [text, remark, marks].
  function line(cells, heads) {
    const row = document.createElement("tr");
    cells.forEach((given, column) => {
      const [text, remark, marks] = Array.isArray(given) ? given : [given, "", ""];
      const head = heads[column].matches(".head") && text;
      const cell = element(head ? "th" : "td", text, head ? { scope: "row" } : {});
      cell.className = `${heads[column].className} ${marks}`.trim();
      if (remark) cell.append(element("small", remark));
      row.append(cell);
    });
    return row;
  }

  // {row, group}: the rows that stand in a table, with the headings over them.
  function standing(table) {
    return [...table.tBodies].flatMap((body) => {
      const heading = body.querySelector("tr.group");
      const group = heading ? heading.textContent.trim() : "";
      return [...body.rows].filter((row) => row !== heading).map((row) => ({ row, group }));
    });
  }

  // Rows one below the other, under the headings of their groups where these are asked for.
  function bodiesOf(rows, grouped, width) {
    const made = [];
    let last = null;
    rows.forEach(({ row, group }) => {
      if (!made.length || (grouped && group !== last)) {
        made.push(document.createElement("tbody"));
        if (grouped && group) {
          const head = element("th", "", { scope: "rowgroup", colspan: width });
          head.append(element("span", group));
          made.at(-1).insertRow().append(head);
          made.at(-1).rows[0].className = "group";
        }
        last = group;
      }
      made.at(-1).append(row);
    });
    return made;
  }

  function pagerOf(table, change, turn) {
    const box = element("div", "", { class: "controls pager" });
    const search = element("input", "", { type: "search", placeholder: "Find …", "aria-label": "Find rows" });
    search.addEventListener("change", () => change({ find: search.value, page: 0 }));
    const says = element("span", "", { role: "status" });
    const back = element("button", "‹", { type: "button", "aria-label": "Back" });
    const on = element("button", "›", { type: "button", "aria-label": "On" });
    back.addEventListener("click", () => turn(-1));
    on.addEventListener("click", () => turn(1));
    box.append(search, says, back, on);
    table.closest(".scroll").before(box);
    return { search, says, back, on };
  }

  function enhance(figure) {
    const table = figure.querySelector(PRINTED);
    const later = figure.querySelector("script[data-later]");
    const boxes = [...document.querySelectorAll(`[data-rows-of="${figure.id}"]`)];
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const first = standing(table);
    const count = first.length + (later ? Number(later.dataset.later) : 0);
    const state = { sort: null, down: false, page: 0, find: "", hide: new Set() };
    let rows = null; // all, the ones kept as data included, in their first order
    let pager = null;
    let printing = false;
    let touched = false;

    function all() {
      if (rows) return rows;
      const build = lossnets.rowOf?.[figure.id] ?? ((cells) => line(cells, heads));
      const kept = later ? JSON.parse(later.textContent) : [];
      rows = [...first, ...kept.flatMap(([group, lines]) => lines.map((cells) => ({ row: build(cells), group })))];
      return rows;
    }

    function chosen() {
      const words = state.find.toLowerCase();
      const found = all().filter(
        ({ row, group }) => !state.hide.has(group) && (!words || row.textContent.toLowerCase().includes(words)),
      );
      return state.sort === null ? found : sorted(found, state.sort, state.down);
    }

    function say(found, pages) {
      const start = state.page * SHOWN;
      pager.says.textContent = `${found ? start + 1 : 0}–${Math.min(found, start + SHOWN)} of ${found}`;
      pager.back.disabled = state.page === 0;
      pager.on.disabled = state.page >= pages - 1;
    }

    function show() {
      heads.forEach((head, column) => {
        const order = state.sort !== column ? "none" : state.down ? "descending" : "ascending";
        if (head.querySelector("button")) head.setAttribute("aria-sort", order);
      });
      if (!touched && first.length === Math.min(count, SHOWN)) return;
      const found = chosen();
      const pages = Math.max(1, Math.ceil(found.length / SHOWN));
      state.page = Math.min(state.page, pages - 1);
      const whole = !pager || (printing && found.length <= PRINTABLE);
      const shown = whole ? found : found.slice(state.page * SHOWN, (state.page + 1) * SHOWN);
      [...table.tBodies].forEach((body) => body.remove());
      table.append(...bodiesOf(shown, state.sort === null, heads.length));
      if (pager) say(found.length, pages);
      figure.dispatchEvent(new CustomEvent("rows"));
    }

    function write(values) {
      touched = true;
      Object.assign(state, values);
      if (pager) pager.search.value = state.find;
      boxes.forEach((box) => (box.checked = !state.hide.has(box.value)));
      show();
    }

    function change(values) {
      write(values);
      lossnets.address.changed(figure.id);
    }

    heads.forEach((head, column) => {
      if (head.dataset.unsorted !== undefined || !head.textContent.trim()) return;
      const sorter = element("button", "", { type: "button", class: "sorts" });
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const same = state.sort === column;
        if (same && state.down) change({ sort: null, down: false, page: 0 });
        else change({ sort: column, down: same, page: 0 });
      });
    });
    boxes.forEach((box) =>
      box.addEventListener("change", () => {
        change({ hide: new Set(boxes.filter((one) => !one.checked).map((one) => one.value)), page: 0 });
      }),
    );
    if (count > SHOWN) {
      pager = pagerOf(table, change, (step) => change({ page: state.page + step }));
      say(count, Math.ceil(count / SHOWN));
      show();
    }

    every.set(figure, {
      rows: () => chosen().map(({ row }) => row),
      // Turn to the page on which an element stands that is not in the table now.
      reveal(id) {
        const found = chosen().findIndex(({ row }) => row.querySelector(`#${CSS.escape(id)}`));
        if (found >= 0) write({ page: Math.floor(found / SHOWN) });
        return found >= 0;
      },
      print(on) {
        printing = on;
        if (pager) write({});
      },
    });
    const choices = {
      read() {
        const said = { sort: state.sort, down: state.down ? 1 : null, page: state.page ? state.page + 1 : null, find: state.find || null };
        const pairs = Object.entries(said).filter(([, given]) => given !== null);
        return [...pairs, ...[...state.hide].map((group) => ["hide", group])].map(([key, given]) => [key, String(given)]);
      },
      write(pairs) {
        if (JSON.stringify(pairs) === JSON.stringify(choices.read())) return;
        const given = Object.fromEntries(pairs);
        const sort = Number(given.sort);
        write({
          sort: given.sort !== undefined && heads[sort] ? sort : null,
          down: given.down === "1",
          page: Math.max(0, (parseInt(given.page, 10) || 1) - 1),
          find: given.find ?? "",
          hide: new Set(pairs.filter(([key]) => key === "hide").map(([, group]) => group)),
        });
      },
    };
    lossnets.address.register(figure.id, choices);
  }

  // All rows of a table that are found, in their order, on whatever page they stand.
  lossnets.allRows = (figure) => every.get(figure).rows();
  lossnets.reveal = (id) => [...every.values()].some((table) => table.reveal(id));
  addEventListener("beforeprint", () => every.forEach((table) => table.print(true)));
  addEventListener("afterprint", () => every.forEach((table) => table.print(false)));

  document.querySelectorAll("figure.exhibit").forEach((figure) => {
    if (figure.querySelector(PRINTED)) enhance(figure);
  });
})();
