// What the explorer shows, kept in its controls and in the page's address, so that a view can
// be shared: #explorer?x=macs&y=bapps_2afc&view=all … Values that do not exist are ignored.
(function () {
  "use strict";
  const SELECTS = ["x", "y", "view", "colour", "shape"];
  const SWITCHES = ["logx", "logy", "line"];

  // hidden: "dimension:value" of categories that are switched off; selected: keys of points.
  window.lossnets.explorerState = function (root) {
    const control = (name) => root.querySelector(`[data-control="${name}"]`);
    const state = { hidden: new Set(), selected: new Set() };
    const initial = {};

    function read() {
      SELECTS.forEach((name) => (state[name] = control(name).value));
      SWITCHES.forEach((name) => (state[name] = control(name).checked));
    }

    function write(values) {
      SELECTS.forEach((name) => {
        const options = [...control(name).options].map((option) => option.value);
        control(name).value = options.includes(values[name]) ? values[name] : initial[name];
      });
      SWITCHES.forEach((name) => (control(name).checked = values[name]));
      state.hidden = new Set(values.hidden);
      state.selected = new Set(values.selected);
      read();
    }

    // What differs from the start, as pairs of an address.
    function pairs() {
      const selects = SELECTS.filter((name) => state[name] !== initial[name]).map((name) => [name, state[name]]);
      const switches = SWITCHES.filter((name) => state[name] !== initial[name]).map((name) => [name, state[name] ? "1" : "0"]);
      const sets = [["hide", state.hidden], ["select", state.selected]];
      return [...selects, ...switches, ...sets.flatMap(([key, values]) => [...values].map((value) => [key, value]))];
    }

    // Put an address's pairs into the controls.
    function restore(given) {
      const parameters = new URLSearchParams(given);
      const values = { hidden: parameters.getAll("hide"), selected: parameters.getAll("select") };
      SELECTS.forEach((name) => (values[name] = parameters.get(name) ?? initial[name]));
      SWITCHES.forEach((name) => {
        values[name] = parameters.has(name) ? parameters.get(name) === "1" : initial[name];
      });
      write(values);
    }

    read();
    Object.assign(initial, state, { hidden: [], selected: [] });
    return { state, read, pairs, restore, reset: () => write(initial) };
  };
})();
