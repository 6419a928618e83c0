// Charts are drawn when they come near the screen, one a task; for print all of them.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const waiting = new Map(); // element → what draws it
  const near = new Set();
  let working = null;

  const pause = () => new Promise((done) => setTimeout(done));

  async function draw(element) {
    const act = waiting.get(element);
    near.delete(element);
    waiting.delete(element);
    approach.unobserve(element);
    if (act) await act();
  }

  async function work() {
    delete document.documentElement.dataset.charts;
    await pause();
    while (near.size) {
      await draw(near.values().next().value);
      await pause();
    }
    working = null;
    document.documentElement.dataset.charts = "drawn";
  }

  const start = () => (working ??= work());

  const approach = new IntersectionObserver(
    (entries) => {
      entries.filter((one) => one.isIntersecting).forEach(({ target }) => near.add(target));
      start();
    },
    { rootMargin: "400px" },
  );

  // Call `act` once, when the element is near the screen.
  lossnets.whenNear = function (element, act) {
    waiting.set(element, act);
    approach.observe(element);
  };

  // Draw what waits, what stands in closed folds included: all of it has its room.
  lossnets.drawAll = async function () {
    waiting.forEach((_, element) => near.add(element));
    await start();
  };

  addEventListener("beforeprint", () => {
    document.querySelectorAll("details:is(.more, .card, .sure)").forEach((fold) => (fold.open = true));
    [...waiting.keys()].forEach(draw); // at once: paper waits for nothing
  });
})();
