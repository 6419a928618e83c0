// A link into the page arrives where it points, and stays there while charts are drawn, until the
// reader scrolls, taps or types.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const TURNED = ["wheel", "touchmove", "pointerdown", "keydown"];
  let target = null;

  const free = () => (target = null);
  TURNED.forEach((name) => addEventListener(name, free, { passive: true, capture: true }));

  function keep() {
    if (target) target.scrollIntoView({ behavior: "instant", block: "start" });
  }

  function arrive() {
    const id = lossnets.address.anchor();
    if (id && !document.getElementById(id)) lossnets.reveal(id); // on a page of a table not shown
    const there = document.getElementById(id);
    if (!there) return;
    if (there.parentElement.matches("details")) there.parentElement.open = true;
    for (let fold = there.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
    target = there;
    keep();
  }

  // Our own entries of the history change a view and no place.
  addEventListener("popstate", (event) => event.state?.ours || arrive());
  new ResizeObserver(keep).observe(document.body);
  if (location.hash) arrive();
})();
