// Several exhibits as one: a choice shows one of them, or all; links and print find every one.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const ALL = "all";

  document.querySelectorAll(".one-of").forEach((box) => {
    const options = [...box.querySelectorAll(":scope > .option")];
    const label = document.createElement("label");
    label.className = "choice";
    label.textContent = box.dataset.label;
    const select = document.createElement("select");
    options.forEach((option) => select.add(new Option(option.dataset.name, option.dataset.option)));
    select.add(new Option(`all ${options.length}`, ALL));
    label.append(select);
    const controls = document.createElement("div");
    controls.className = "controls";
    controls.append(label);
    box.prepend(controls);

    function show(name) {
      select.value = name;
      options.forEach((option) => option.classList.toggle("away", ![ALL, option.dataset.option].includes(name)));
    }

    const linked = () => {
      const target = document.getElementById(lossnets.address.anchor());
      const option = target && target.closest(".option");
      return option && box.contains(option) ? option.dataset.option : null;
    };
    const start = () => linked() ?? options[0].dataset.option;

    select.addEventListener("change", () => {
      show(select.value);
      lossnets.address.changed(box.id);
    });
    lossnets.address.register(box.id, {
      read: () => (select.value === options[0].dataset.option ? [] : [["show", select.value]]),
      write(pairs) {
        const given = Object.fromEntries(pairs).show;
        show([...select.options].some(({ value }) => value === given) ? given : start());
      },
    });
    show(start());
  });
})();
