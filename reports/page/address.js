// What readers choose stands in the page's address, so that every view can be shared and Back
// undoes it: #figure_02?score=bapps_jnd&table_05.sort=2 — the part last touched, its choices, and
// those of other parts with their names before them.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const parts = new Map(); // id → {read: () => [[name, value]], write: (pairs) => void}

  const anchor = () => decodeURIComponent(location.hash.slice(1).split("?")[0]);

  function choices() {
    const here = anchor();
    const found = new Map();
    const query = location.hash.includes("?") ? location.hash.slice(location.hash.indexOf("?")) : "";
    new URLSearchParams(query).forEach((value, key) => {
      const dot = key.indexOf(".");
      const other = dot > 0 && parts.has(key.slice(0, dot));
      const [id, name] = other ? [key.slice(0, dot), key.slice(dot + 1)] : [here, key];
      found.set(id, [...(found.get(id) ?? []), [name, value]]);
    });
    return found;
  }

  function fragment(id) {
    const query = new URLSearchParams();
    parts.forEach((part, name) => {
      part.read().forEach(([key, value]) => query.append(name === id ? key : `${name}.${key}`, value));
    });
    const text = query.toString();
    return text ? `#${id}?${text}` : `#${id}`;
  }

  function restore() {
    const found = choices();
    parts.forEach((part, id) => part.write(found.get(id) ?? []));
  }

  lossnets.address = {
    anchor,
    fragment,
    // A part that has choices; what the address says of it is written into it at once.
    register(id, part) {
      parts.set(id, part);
      const found = choices().get(id);
      if (found) part.write(found);
    },
    changed(id) {
      history.pushState({ ours: true }, "", fragment(id));
    },
  };

  addEventListener("popstate", restore);
})();
