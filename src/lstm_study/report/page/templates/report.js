"use strict";
// The report is complete without this script. It adds sorting and filtering of the trials, a place
// for each trial, ranges in the parallel coordinates, and a switch between light and dark.
(() => {
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const draw = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  // What a reader has chosen; it stays when a newer report takes the place of this one.
  const chosen = { filter: "", column: null, descending: false, budget: null };
  let data = null;
  let marked = new Map();

  // Light and dark
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = make("button", { type: "button" });
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  dark.addEventListener("change", name);
  name();
  document.getElementById("tools").append(theme);

  // Contents: mark the current section
  const seen = new IntersectionObserver((entries) => {
    const links = new Map($$("nav a").map((link) => [link.getAttribute("href").slice(1), link]));
    for (const entry of entries) {
      if (!entry.isIntersecting || !links.has(entry.target.id)) continue;
      links.forEach((link) => link.classList.remove("here"));
      links.get(entry.target.id).classList.add("here");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });

  // Sorting
  const value = (cell) => {
    const raw = cell.dataset.v ?? cell.textContent.trim();
    if (raw === "–") return null;
    const number = Number(raw);
    return Number.isNaN(number) ? raw : number;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const heads = (table) => [...table.tHead.rows[0].cells];
  const sort = (table, column, descending) => {
    const place = heads(table).findIndex((head) => head.dataset.column === column);
    if (place < 0) return;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row.cells[place]), row]);
    rows.sort(([a], [b]) => (a === null || b === null || !descending ? compare(a, b) : compare(b, a)));
    body.append(...rows.map(([, row]) => row));
    heads(table).forEach((head, index) => {
      head.setAttribute("aria-sort", index === place ? (descending ? "descending" : "ascending") : "none");
    });
  };

  // Filtering: words, and conditions such as score>85%, units<=64 or pooling=max|all
  const UNITS = { "": 1, "%": 0.01, ms: 0.001, s: 1, min: 60, h: 3600, k: 1e3, m: 1e6 };
  const key = (text) => text.trim().toLowerCase().replaceAll(/\s+/g, "_");
  const find = (table, wanted) => {
    const names = heads(table).map((head) => [key(head.dataset.column), key(head.textContent)]);
    const tests = [(text) => text === wanted, (text) => text.startsWith(wanted), (text) => text.includes(wanted)];
    for (const test of tests) {
      const place = names.findIndex((each) => each.some(test));
      if (place >= 0) return place;
    }
    return -1;
  };
  const number = (text, form) => {
    const found = text.match(/^(-?[\d.,]+(?:e[+-]?\d+)?)(%|ms|s|min|h|k|m)?$/);
    if (!found) return null;
    const plain = Number(found[1].replaceAll(",", "")) * UNITS[found[2] || ""];
    return form === "percent" && !found[2] && plain > 1 ? plain / 100 : plain;
  };
  const OPERATORS = {
    ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b - 1e-9, "<=": (a, b) => a <= b + 1e-9,
    "=": (a, b) => Math.abs(a - b) < 1e-9, "!=": (a, b) => Math.abs(a - b) >= 1e-9,
  };
  // Returns the conditions of a filter, and what is wrong with it.
  const parse = (table, text) => {
    const conditions = [];
    for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
      const found = word.match(/^([\p{L}_][^<>=!:]*)(>=|<=|!=|>|<|=|:)(.*)$/u);
      if (!found) {
        conditions.push({ word, told: `“${word}”`, holds: (row) => row.textContent.toLowerCase().includes(word) });
        continue;
      }
      const [, name, operator, wanted] = found;
      const place = find(table, name);
      if (place < 0) return { conditions: [], problem: `There is no column “${name}”.` };
      const head = heads(table)[place];
      const label = head.textContent.trim();
      const target = number(wanted, head.dataset.form);
      const isText = operator === ":" || ((operator === "=" || operator === "!=") && target === null);
      if (!isText && target === null) return { conditions: [], problem: `“${word}” needs a number after ${operator}.` };
      const column = head.dataset.column;
      const any = wanted.split("|");
      const told = `${label} ${operator === ":" ? "contains" : operator} ${any.join(" or ")}`;
      conditions.push({ word, column, operator, target, any, told, holds: (row) => {
        const cell = row.cells[place];
        const shown = key(cell.textContent);
        if (isText) return operator === ":" ? any.some((each) => shown.includes(each)) : any.includes(shown) === (operator === "=");
        const known = value(cell);
        return typeof known === "number" && OPERATORS[operator](known, target);
      } });
    }
    return { conditions, problem: "" };
  };
  const filter = () => {
    const table = document.querySelector("table.trials");
    if (!table) return;
    const { conditions, problem } = parse(table, chosen.filter);
    const rows = [...table.tBodies[0].rows];
    const active = conditions.length > 0;
    let shown = 0;
    for (const row of rows) {
      const hit = conditions.every((each) => each.holds(row));
      row.hidden = !hit;
      shown += hit;
      (marked.get(row.dataset.trial) || []).forEach((element) => element.classList.toggle("out", active && !hit));
    }
    document.documentElement.classList.toggle("filtering", active);
    const words = conditions.map((each) => each.told).join(" and ");
    $$(".filter output").forEach((told) => {
      told.textContent = problem || (active ? `${shown} of ${rows.length} trials: ${words}` : "");
    });
    brushes(conditions);
  };
  const setFilter = (text) => {
    chosen.filter = text;
    $$("#filter").forEach((input) => { if (input.value !== text) input.value = text; });
    filter();
  };
  const mountTrials = (table) => {
    heads(table).forEach((head) => {
      const button = make("button", { type: "button", className: "sort", textContent: head.textContent });
      button.addEventListener("click", () => {
        chosen.descending = head.getAttribute("aria-sort") === "ascending";
        chosen.column = head.dataset.column;
        sort(table, chosen.column, chosen.descending);
      });
      head.replaceChildren(button);
      head.setAttribute("aria-sort", head.dataset.column === "rank" ? "ascending" : "none");
    });
    if (chosen.column) sort(table, chosen.column, chosen.descending);
    $$("tbody tr", table).forEach((row) => {
      const id = row.dataset.trial;
      row.cells[0].replaceChildren(make("a", { className: "pick", href: `#trial=${encodeURIComponent(id)}`, textContent: id }));
    });
    const input = make("input", { type: "search", id: "filter", placeholder: find(table, "status") < 0 ? "score>85 units<=64" : "score>85 units<=64 status:completed", value: chosen.filter });
    input.addEventListener("input", () => setFilter(input.value));
    const line = make("div", { className: "filter" },
      make("label", { htmlFor: "filter", textContent: "Filter trials" }), input, make("output", { htmlFor: "filter" }));
    table.closest(".scroll").before(line);
  };

  // Parallel coordinates, one budget at a time; a range that is dragged along an axis is a filter
  const HEAT = [[236, 199, 101], [207, 106, 61], [120, 79, 144]];
  const shade = (part) => {
    const at = Math.min(1.9999, Math.max(0, part) * 2);
    const [from, to] = [HEAT[Math.floor(at)], HEAT[Math.floor(at) + 1]];
    return `rgb(${from.map((channel, index) => Math.round(channel + (to[index] - channel) * (at % 1))).join(" ")})`;
  };
  const [WIDTH, TOP, BOTTOM, LEFT] = [900, 20, 300, 70];
  const spread = (axis, raw) => {
    const scale = axis.log ? Math.log : (x) => x;
    const [low, high] = [scale(axis.low), scale(axis.high)];
    return high > low ? Math.min(1, Math.max(0, (scale(raw) - low) / (high - low))) : 0.5;
  };
  const back = (axis, part) => {
    const bounded = Math.min(1, Math.max(0, part));
    if (axis.log) return axis.low * (axis.high / axis.low) ** bounded;
    return axis.low + (axis.high - axis.low) * bounded;
  };
  const across = (index) => LEFT + index * (WIDTH - LEFT - 30) / Math.max(1, data.axes.length - 1);
  const up = (part) => BOTTOM - part * (BOTTOM - TOP);
  // Names of many axes take turns in being lower, so that none runs into the next one's.
  const LINE = 14;
  const isCrowded = () => data.axes.length > 9;
  const wrapped = (axis) => axis.name.replaceAll("_", " ").split(isCrowded() ? " " : "\n");
  const most = () => Math.max(...data.axes.map((axis) => wrapped(axis).length));
  const below = (index) => (isCrowded() && index % 2 ? most() : 0);
  const height = () => 336 + LINE * (isCrowded() ? 2 * most() : 1);
  const brushes = (conditions) => {
    const canvas = document.querySelector("#figure-parallel .canvas svg[data-live]");
    if (!canvas) return;
    $$(".brush", canvas).forEach((each) => each.remove());
    data.axes.forEach((axis, index) => {
      const mine = conditions.filter((each) => each.column === axis.name && (axis.words ? ["="] : ["<=", ">="]).includes(each.operator));
      if (!mine.length) return;
      const ends = (operator) => mine.filter((each) => each.operator === operator).map((each) => spread(axis, each.target));
      const named = axis.ticks.filter(([, text]) => mine.some((each) => each.any.includes(key(text)))).map(([raw]) => spread(axis, raw));
      const low = axis.words ? Math.min(...named) : Math.max(0, ...ends(">="));
      const high = axis.words ? Math.max(...named) : Math.min(1, ...ends("<="));
      if (low > high) return;
      canvas.append(draw("rect", { class: "brush", x: across(index) - 7, width: 14, y: up(high) - 2, height: Math.max(0, up(low) - up(high)) + 4 }));
    });
  };
  const epochs = (count) => (count === 1 ? "1 epoch" : `${count} epochs`);
  const mountParallel = () => {
    const figure = document.getElementById("figure-parallel");
    if (!figure || !data) return;
    const canvas = figure.querySelector(".canvas");
    const budgets = [...new Set(Object.values(data.trials).filter((each) => each.axes).map((each) => each.budget))].sort((a, b) => a - b);
    if (!budgets.includes(chosen.budget)) chosen.budget = budgets.includes(data.full) ? data.full : budgets.at(-1);
    const title = figure.querySelector("h3");
    const pick = make("select", { id: "budget" }, ...budgets.map((each) => make("option", { value: each, textContent: epochs(each), selected: each === chosen.budget })));
    const clear = make("button", { type: "button", textContent: "Clear ranges" });
    clear.addEventListener("click", () => setFilter(""));
    const line = make("div", { className: "filter" }, make("label", { htmlFor: "budget", textContent: "Budget" }), pick, clear, make("output", {}));
    const redraw = () => {
      const lines = Object.entries(data.trials).filter(([, each]) => each.axes && each.budget === chosen.budget);
      title.textContent = `Hyperparameters and score of the trials with ${epochs(chosen.budget)}`;
      const score = data.axes.at(-1);
      const goodness = (each) => { const part = spread(score, each.axes.at(-1)); return data.direction === "max" ? part : 1 - part; };
      lines.sort(([, a], [, b]) => goodness(a) - goodness(b));
      const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${height()}`, role: "img", "data-live": "", "aria-label": canvas.getAttribute("aria-label") });
      lines.forEach(([id, each]) => svg.append(draw("path", {
        "data-trial": id, fill: "none", stroke: shade(goodness(each)), "stroke-width": lines.length > 150 ? 0.8 : 1.8,
        "stroke-opacity": lines.length > 150 ? 0.5 : 0.9,
        d: each.axes.map((raw, index) => `${index ? "L" : "M"}${across(index).toFixed(1)} ${up(spread(data.axes[index], raw)).toFixed(1)}`).join(""),
      })));
      data.axes.forEach((axis, index) => {
        const x = across(index);
        svg.append(draw("line", { x1: x, x2: x, y1: TOP, y2: BOTTOM, style: "stroke: var(--ink)", "stroke-width": 1 }));
        const placed = [];
        axis.ticks.forEach(([raw, text], place) => {
          const y = up(spread(axis, raw));
          const isEnd = place === 0 || place === axis.ticks.length - 1;
          if (!isEnd && (placed.some((each) => Math.abs(each - y) < 14) || y - TOP < 14)) return;
          placed.push(y);
          svg.append(draw("text", { x: x - 6, y: y + 4, "text-anchor": "end", style: "fill: var(--ink); stroke: var(--page); stroke-width: 5; paint-order: stroke", "font-size": isCrowded() ? 9.5 : 11 }, text));
        });
        const [lines, left] = [wrapped(axis), Math.min(x, WIDTH - 30)];
        svg.append(draw("text", { class: "axis", "text-anchor": "middle", style: "fill: var(--muted)", "font-size": 12 },
          ...lines.map((text, at) => draw("tspan", { x: left, y: BOTTOM + 28 + LINE * (at + below(index)) }, text))));
        svg.append(zone(svg, axis, x));
      });
      canvas.replaceChildren(svg);
      index();
      filter();
    };
    pick.addEventListener("change", () => { chosen.budget = Number(pick.value); redraw(); });
    canvas.before(line);
    redraw();
  };
  const zone = (svg, axis, x) => {
    const area = draw("rect", { class: "zone", x: x - 12, width: 24, y: TOP - 8, height: BOTTOM - TOP + 16 });
    const part = (event) => {
      const box = svg.getBoundingClientRect();
      return (BOTTOM - (event.clientY - box.top) * height() / box.height) / (BOTTOM - TOP);
    };
    // Rounded outwards, so that what is at an end of the range is within it.
    const shown = (raw, towards) => {
      const digits = axis.form === "percent" ? 4 : axis.high > 20 ? 0 : 2 - Math.floor(Math.log10(Math.abs(raw) || 1));
      const rounded = towards(Number((raw * 10 ** digits).toPrecision(12))) / 10 ** digits;
      return axis.form === "percent" ? `${(100 * rounded).toFixed(2)}%` : String(Number(rounded.toPrecision(6)));
    };
    const name = key(axis.name);
    const range = (low, high) => {
      if (!axis.words) return [`${name}>=${shown(back(axis, low), Math.floor)}`, `${name}<=${shown(back(axis, high), Math.ceil)}`];
      const inside = axis.ticks.filter(([raw]) => low <= spread(axis, raw) && spread(axis, raw) <= high);
      return inside.length && inside.length < axis.ticks.length ? [`${name}=${inside.map(([, text]) => key(text)).join("|")}`] : [];
    };
    area.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      area.setPointerCapture(event.pointerId);
      const start = part(event);
      area.addEventListener("pointerup", (ended) => {
        const [low, high] = [start, part(ended)].sort((a, b) => a - b);
        const earlier = [">=", "<=", "="].map((operator) => name + operator);
        const rest = chosen.filter.split(/\s+/).filter((word) => word && !earlier.some((each) => word.toLowerCase().startsWith(each)));
        if (high - low > 0.02) rest.push(...range(low, high));
        setFilter(rest.join(" "));
      }, { once: true });
    });
    return area;
  };

  // The place of one trial: settings, learning curve, parents, errors
  const place = document.getElementById("trial");
  const opened = () => { const found = location.hash.match(/^#trial=(.+)$/); return found ? decodeURIComponent(found[1]) : null; };
  const close = () => { history.replaceState(null, "", location.pathname + location.search); show(); };
  const link = (id) => make("a", { href: `#trial=${encodeURIComponent(id)}`, textContent: id });
  const pairs = (rows) => make("dl", {}, ...rows.flatMap(([key, text]) => [make("dt", { textContent: key }), make("dd", { textContent: text })]));
  const tick = (raw) => (data.form === "percent" ? `${(100 * raw).toFixed(1)}%` : raw.toFixed(3));
  const history_ = (id) => {
    const chain = [];
    for (let at = id; at && data.trials[at]; at = data.trials[at].role === "finalist" ? null : data.trials[at].parent) chain.unshift(...data.trials[at].curve);
    return [...new Map(chain).entries()].sort((a, b) => a[0] - b[0]);
  };
  const curve = (id) => {
    const own = history_(id);
    if (!own.length) return null;
    const best = data.winner && data.winner !== id ? history_(data.winner) : [];
    const all = [...own, ...best];
    const [low, high] = [Math.min(...all.map((point) => point[1])), Math.max(...all.map((point) => point[1]))];
    const last = Math.max(2, ...all.map((point) => point[0]));
    const x = (epoch) => 52 + (epoch - 1) * 300 / (last - 1);
    const y = (raw) => 150 - (high > low ? (raw - low) / (high - low) : 0.5) * 130;
    const path = (points) => points.map(([epoch, raw], at) => `${at ? "L" : "M"}${x(epoch).toFixed(1)} ${y(raw).toFixed(1)}`).join("");
    const svg = draw("svg", { viewBox: "0 0 370 195", role: "img", "aria-label": `${data.objective} of ${id} by epoch${best.length ? ", with the winner's in grey" : ""}` });
    const text = (at, words) => draw("text", { ...at, "font-size": 11, style: "fill: var(--muted)" }, words);
    svg.append(draw("path", { d: "M52 10V158H360", fill: "none", style: "stroke: var(--muted)", "stroke-width": 0.8 }));
    svg.append(text({ x: 47, y: 24, "text-anchor": "end" }, tick(high)), text({ x: 47, y: 154, "text-anchor": "end" }, tick(low)));
    svg.append(text({ x: 52, y: 172 }, "1"), text({ x: 352, y: 172, "text-anchor": "end" }, String(last)), text({ x: 200, y: 188, "text-anchor": "middle" }, "epoch"));
    if (best.length) svg.append(draw("path", { d: path(best), fill: "none", style: "stroke: var(--muted)", "stroke-width": 1.2, "stroke-dasharray": "4 3" }));
    svg.append(draw("path", { d: path(own), fill: "none", style: "stroke: var(--winner)", "stroke-width": 2 }));
    own.forEach(([epoch, raw]) => svg.append(draw("circle", { cx: x(epoch), cy: y(raw), r: 2.6, style: "fill: var(--winner)" })));
    return svg;
  };
  let lit = null;
  const show = () => {
    const id = opened();
    if (lit) light(lit, false);
    lit = id;
    const trial = id && data ? data.trials[id] : null;
    place.hidden = !id;
    if (!id) { place.replaceChildren(); return; }
    light(id, true);
    const bar = make("div", { className: "bar" });
    const end = make("button", { type: "button", textContent: "Close" });
    end.addEventListener("click", close);
    bar.append(end);
    const order = $$("table.trials tbody tr").filter((row) => !row.hidden).map((row) => row.dataset.trial);
    for (const [words, step] of [["Previous", -1], ["Next", 1]]) {
      const other = order[order.indexOf(id) + step];
      const button = make("button", { type: "button", textContent: words, disabled: !order.includes(id) || !other });
      button.addEventListener("click", () => { location.hash = `trial=${encodeURIComponent(other)}`; });
      bar.append(button);
    }
    const title = make("h2", { id: "trial-name", textContent: `Trial ${id}` });
    if (data && id === data.winner) title.append(" ", make("span", { className: "badge", textContent: "winner" }));
    place.replaceChildren(bar, title);
    if (!trial) {
      place.append(make("p", { className: "none", textContent: "There is no such trial in this report." }));
      return;
    }
    const drawn = curve(id);
    if (drawn) place.append(make("h3", { textContent: `${data.objective} by epoch` }), drawn);
    if (drawn && data.winner && data.winner !== id && history_(data.winner).length) {
      const dash = draw("svg", { viewBox: "0 0 26 8", class: "key", "aria-hidden": "true" }, draw("path", { d: "M0 4H26", fill: "none", style: "stroke: var(--muted)", "stroke-width": 1.6, "stroke-dasharray": "4 3" }));
      place.append(make("p", { className: "legend" }, dash, " Dashed: the winner, ", link(data.winner), "."));
    }
    place.append(make("h3", { textContent: "Configuration" }), pairs(trial.hyperparameters));
    const children = Object.keys(data.trials).filter((each) => data.trials[each].parent === id);
    if (trial.parent || children.length) {
      const line = make("p", {});
      const listed = (ids) => ids.flatMap((each, at) => (at ? [", ", link(each)] : [link(each)]));
      const isFinalist = (each) => data.trials[each].role === "finalist";
      const [promoted, again] = [children.filter((each) => !isFinalist(each)), children.filter(isFinalist)];
      if (trial.parent) line.append(isFinalist(id) ? "Trained from the start, with a fresh seed, as a finalist: the configuration of " : "Promoted from ", link(trial.parent), ". ");
      if (promoted.length) line.append("Promoted to ", ...listed(promoted), ". ");
      if (again.length) line.append("Trained again from the start, with fresh seeds, as ", ...listed(again), ".");
      place.append(make("h3", { textContent: "Other trials of this configuration" }), line);
    }
    if (trial.error) place.append(make("h3", { textContent: "Error" }), make("p", { className: "error", textContent: trial.error }));
    place.append(make("h3", { textContent: "Facts" }), pairs(trial.facts));
  };
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", () => {
    show();
    unfold();
    if (!place.hidden) place.focus({ preventScroll: true });
  });

  // Highlight the trial under the pointer in every figure and table
  const tip = document.getElementById("tip");
  let hovered = null;
  const light = (id, on) => (marked.get(id) || []).forEach((element) => element.classList.toggle("lit", on));
  const index = () => {
    marked = new Map();
    $$("[data-trial]").forEach((element) => {
      const id = element.dataset.trial;
      if (!marked.has(id)) marked.set(id, []);
      marked.get(id).push(element);
    });
    if (lit) light(lit, true);
  };
  const describe = (id) => {
    const trial = data && data.trials[id];
    if (!trial) return id;
    const facts = new Map(trial.facts);
    const shown = ["score", "budget epochs"].filter((key) => facts.has(key)).map((key) => `${key}: ${facts.get(key)}`);
    return [id, ...shown, ...trial.hyperparameters.map(([key, text]) => `${key}: ${text}`), "Click for more."].join("\n");
  };
  const near = (event) => (event.target instanceof Element ? event.target.closest("[data-trial]") : null);
  document.addEventListener("pointerover", (event) => {
    const element = near(event);
    const id = element ? element.dataset.trial : null;
    if (id === hovered) return;
    if (hovered !== null && hovered !== lit) light(hovered, false);
    hovered = id;
    if (id !== null) light(id, true);
    tip.hidden = id === null || !element.closest("svg");
    if (!tip.hidden) tip.textContent = describe(id);
  });
  document.addEventListener("pointermove", (event) => {
    if (tip.hidden) return;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("button, a, input, summary")) return;
    const element = near(event);
    if (element && data && data.trials[element.dataset.trial]) location.hash = `trial=${encodeURIComponent(element.dataset.trial)}`;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !place.hidden) close();
  });

  // Print closed parts, too
  addEventListener("beforeprint", () => $$("details").forEach((part) => { part.open = true; }));

  const mount = () => {
    const found = document.getElementById("trial-data");
    data = found ? JSON.parse(found.textContent) : null;
    seen.disconnect();
    $$("main section").forEach((section) => seen.observe(section));
    $$("table.trials").forEach(mountTrials);
    index();
    mountParallel();
    filter();
    show();
    unfold();
  };
  window.lstmReport = { mount, make, draw };
  mount();
})();
