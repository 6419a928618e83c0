// Checkboxes that hide groups of a printed table's rows, by the groups' headings.
(function () {
  "use strict";
  document.addEventListener("change", (event) => {
    const id = event.target.dataset && event.target.dataset.rowsOf;
    if (!id) return;
    document.getElementById(id).querySelectorAll("table.grid tbody").forEach((body) => {
      const heading = body.querySelector("tr.group");
      if (heading && heading.textContent.trim() === event.target.value) {
        body.hidden = !event.target.checked;
      }
    });
  });
})();
