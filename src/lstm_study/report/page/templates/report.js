"use strict";
// The report is complete without this script. It adds sorting and filtering of the trials, a switch
// between light and dark, and highlighting of one trial in every figure and table.
(() => {
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

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
  const links = new Map($$("nav a").map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.classList.remove("here"));
      links.get(entry.target.id).classList.add("here");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  $$("main section").forEach((section) => links.has(section.id) && seen.observe(section));

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
  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
    rows.sort(([a], [b]) => (a === null || b === null || !descending ? compare(a, b) : compare(b, a)));
    body.append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      head.setAttribute("aria-sort", index === column ? (descending ? "descending" : "ascending") : "none");
    });
  };
  $$("table.trials").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button", className: "sort", textContent: head.textContent });
      button.addEventListener("click", () => sort(table, column, head.getAttribute("aria-sort") === "ascending"));
      head.replaceChildren(button);
    });

    // Filtering: every word must be in the row; "status:failed" looks in one column only
    const input = make("input", { type: "search", id: "filter", placeholder: "failed, b2, status:completed …" });
    const label = make("label", { htmlFor: "filter", textContent: "Filter trials" });
    const told = make("output", { htmlFor: "filter" });
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim().toLowerCase());
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const texts = [...row.cells].map((cell) => cell.textContent.toLowerCase());
        const hit = words.every((word) => {
          const [head, wanted] = word.split(":");
          const column = wanted === undefined ? -1 : heads.findIndex((text) => text.startsWith(head));
          return column < 0 ? texts.some((text) => text.includes(word)) : texts[column].includes(wanted);
        });
        row.hidden = !hit;
        shown += hit;
      }
      told.textContent = words.length ? `${shown} of ${table.tBodies[0].rows.length}` : "";
    };
    input.addEventListener("input", filter);
    const line = make("div", { className: "filter" });
    line.append(label, input, told);
    table.closest(".scroll").before(line);
  });

  // Print closed parts, too
  addEventListener("beforeprint", () => $$("details").forEach((part) => { part.open = true; }));

  // Highlight a trial everywhere
  const marked = new Map();
  $$("[data-trial]").forEach((element) => {
    const id = element.dataset.trial;
    if (!marked.has(id)) marked.set(id, []);
    marked.get(id).push(element);
  });
  const tip = document.getElementById("tip");
  const pinned = new Set();
  let hovered = null;
  const light = (id, on) => (marked.get(id) || []).forEach((element) => element.classList.toggle("lit", on));
  const describe = (id) => {
    const row = (marked.get(id) || []).find((element) => element.closest("table.trials"));
    if (!row) return id;
    const heads = [...row.closest("table").tHead.rows[0].cells].map((head) => head.textContent.trim());
    return [...row.cells].map((cell, index) => (index ? `${heads[index]}: ${cell.textContent}` : cell.textContent)).join("\n");
  };
  const pin = (id) => {
    const on = !pinned.has(id);
    if (on) pinned.add(id); else pinned.delete(id);
    light(id, on || hovered === id);
    $$("button.pick").forEach((button) => button.setAttribute("aria-pressed", String(pinned.has(button.dataset.id))));
  };
  const near = (event) => event.target instanceof Element ? event.target.closest("[data-trial]") : null;
  document.addEventListener("pointerover", (event) => {
    const element = near(event);
    const id = element ? element.dataset.trial : null;
    if (id === hovered) return;
    if (hovered !== null && !pinned.has(hovered)) light(hovered, false);
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
    if (event.target instanceof Element && event.target.closest("button, a, input")) return;
    const element = near(event);
    if (element) pin(element.dataset.trial);
  });
  $$("table.trials tbody th").forEach((head) => {
    const id = head.textContent;
    const button = make("button", { type: "button", className: "pick", textContent: id, title: "Highlight in every figure" });
    button.dataset.id = id;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => pin(id));
    head.replaceChildren(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") [...pinned].forEach(pin);
  });
})();
