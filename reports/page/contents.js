// The table of contents: folded on narrow screens, and showing where the reader is.
(function () {
  "use strict";
  const contents = document.querySelector("nav.contents details");
  const narrow = window.matchMedia("(max-width: 68rem)");
  const fold = () => (contents.open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && narrow.matches) contents.open = false;
  });

  const links = new Map(
    [...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]),
  );
  const observer = new IntersectionObserver(
    (entries) => {
      const entry = entries.find((e) => e.isIntersecting);
      if (!entry) return;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id).setAttribute("aria-current", "true");
    },
    { rootMargin: "0px 0px -75% 0px" },
  );
  links.forEach((_, id) => observer.observe(document.getElementById(id)));
})();
