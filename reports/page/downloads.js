// The data of an exhibit as a table in the page and as files: CSV, SVG, PNG (pasted.js: the others).
(function () {
  "use strict";
  const lossnets = window.lossnets;

  // As warehouse/formulas.py: what a spreadsheet would take for a formula gets an apostrophe.
  const formula = /^'*[=+\-@\t\r]/;
  const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
  const marked = (value) =>
    typeof value === "string" && formula.test(value) && !number.test(value) ? `'${value}` : value;
  const text = (value) => (value === null ? "" : String(value));
  const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

  lossnets.toCsv = function (fields, rows) {
    const lines = [fields, ...rows.map((row) => fields.map((field) => text(marked(row[field]))))];
    return lines.map((line) => line.map(quoted).join(",") + "\n").join("");
  };

  lossnets.save = function (name, content, type) {
    const link = document.createElement("a");
    link.download = name;
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const exhibitRows = (exhibit) =>
    document.querySelector(`details.rows[data-exhibit="${exhibit}"]`).dataset.dataset;

  // The chart as it is filtered now, with its legend and title, on white.
  async function drawn(exhibit) {
    const container = document.createElement("div");
    const spec = lossnets.specification(exhibit, 900);
    const chosen = [...document.querySelectorAll(`select[data-figure="${exhibit}"]`)].map(
      (select) => select.selectedOptions[0].textContent.trim(),
    );
    const caption = document.getElementById(exhibit).querySelector("h3").cloneNode(true);
    caption.querySelector(".anchor").remove();
    spec.title = [caption.textContent.trim().replace(/\s+/g, " "), ...chosen].join(" · ");
    if (spec.width === "container") spec.width = 720;
    const config = { ...structuredClone(lossnets.config), background: "white" };
    return (await lossnets.draw(container, spec, config)).view;
  }

  async function bytes(url) {
    const binary = atob(url.split(",")[1]);
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  }

  const writers = {
    csv: (exhibit) => {
      const name = exhibitRows(exhibit);
      return [lossnets.toCsv(lossnets.fields(name), lossnets.rows(name)), "text/csv"];
    },
    md: (exhibit) => [lossnets.toMarkdown(exhibit), "text/markdown"],
    tex: (exhibit) => [lossnets.toLatex(exhibit), "application/x-tex"],
    svg: async (exhibit) => [await (await drawn(exhibit)).toSVG(), "image/svg+xml"],
    png: async (exhibit) => {
      const view = await drawn(exhibit);
      return [await bytes(await view.toImageURL("png", 2)), "image/png"];
    },
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-download]");
    if (!button) return;
    const { download, exhibit } = button.dataset;
    const [content, type] = await writers[download](exhibit);
    lossnets.save(`${exhibit}.${download}`, content, type);
  });

  // The data table under an exhibit is made when it is opened.
  function fill(details) {
    const name = details.dataset.dataset;
    const fields = lossnets.fields(name);
    const table = document.createElement("table");
    const header = table.createTHead().insertRow();
    fields.forEach((field) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = field;
      header.append(cell);
    });
    const body = table.createTBody();
    lossnets.rows(name).forEach((row) => {
      const line = body.insertRow();
      fields.forEach((field) => {
        const cell = line.insertCell();
        cell.textContent = text(row[field]);
        if (typeof row[field] === "number") cell.className = "number";
      });
    });
    const box = document.createElement("div");
    box.className = "scroll data";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Data of ${name}`);
    box.append(table);
    details.append(box);
  }

  document.querySelectorAll("details.rows").forEach((details) => {
    details.addEventListener("toggle", () => {
      if (details.open && !details.querySelector("table")) fill(details);
    });
  });
})();
