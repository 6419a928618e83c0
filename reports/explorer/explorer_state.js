// What the explorer shows, kept in its controls and in the page's address, so that a view can
// be shared: #explorer?x=macs&y=bapps_2afc&view=best … Values that do not exist are ignored.
(function () {
  "use strict";
  const PREFIX = "#explorer?";
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

    function fragment() {
      const parameters = new URLSearchParams();
      SELECTS.forEach((name) => parameters.set(name, state[name]));
      SWITCHES.forEach((name) => parameters.set(name, state[name] ? "1" : "0"));
      state.hidden.forEach((value) => parameters.append("hide", value));
      state.selected.forEach((key) => parameters.append("select", key));
      return PREFIX + parameters;
    }

    // Whether the address held a view of the explorer, which now stands in the controls.
    function fromAddress() {
      if (!window.location.hash.startsWith(PREFIX)) return false;
      const parameters = new URLSearchParams(window.location.hash.slice(PREFIX.length));
      const values = { hidden: parameters.getAll("hide"), selected: parameters.getAll("select") };
      SELECTS.forEach((name) => (values[name] = parameters.get(name) ?? initial[name]));
      SWITCHES.forEach((name) => {
        values[name] = parameters.has(name) ? parameters.get(name) === "1" : initial[name];
      });
      write(values);
      return true;
    }

    read();
    Object.assign(initial, state, { hidden: [], selected: [] });
    return { state, read, fragment, fromAddress, reset: () => write(initial) };
  };
})();
