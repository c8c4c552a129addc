"use strict";
// While a study runs: asks the server on this machine for its progress every two seconds, and puts a
// newer report in place of the one shown. What the reader has chosen stays.
(() => {
  const { make, draw, mount } = window.lstmReport;
  const $ = (id) => document.getElementById(id);
  let shown = "";

  const line = (points) => {
    const svg = draw("svg", { class: "spark", viewBox: "0 0 100 24", "aria-hidden": "true" });
    if (points.length < 2) return svg;
    const [low, high] = [Math.min(...points), Math.max(...points)];
    const d = points.map((value, at) => `${at ? "L" : "M"}${(100 * at / (points.length - 1)).toFixed(1)} ${(21 - 18 * (high > low ? (value - low) / (high - low) : 0.5)).toFixed(1)}`).join("");
    svg.append(draw("path", { d, fill: "none", style: "stroke: var(--winner)", "stroke-width": 1.6 }));
    return svg;
  };
  const stage = (found) => make("div", { className: "stage" },
    make("h2", { textContent: found.name }),
    make("p", {}, make("span", { className: "count", textContent: found.total ? `${found.done} of ${found.total}` : String(found.done) }), ` ${found.what} done`),
    make("progress", { max: Math.max(1, found.total), value: found.done, ariaLabel: `${found.name}: trainings done` }),
    ...found.facts.map((text) => make("p", { textContent: text })));
  const cell = (...content) => make("td", {}, ...content);
  const running = (items) => {
    const head = make("tr", {}, ...["worker", "training", "epoch", "steps of the epoch", "learning curve", "configuration"]
      .map((words) => make("th", { scope: "col", textContent: words })));
    const rows = items.map((each) => make("tr", {},
      make("th", { scope: "row", textContent: each.worker }),
      cell(each.training_id || "waiting"), cell(each.epochs ? `${each.epoch} of ${each.epochs}` : ""),
      cell(...(each.training_id ? [make("progress", { max: Math.max(1, each.steps), value: each.step, ariaLabel: `${each.worker}: steps done` })] : [])),
      cell(line(each.curve)), cell(each.configuration)));
    return make("div", { className: "scroll", role: "region", tabIndex: 0, ariaLabel: "Trainings in progress" },
      make("table", { className: "running wide" }, make("caption", { textContent: "In progress" }), make("thead", {}, head), make("tbody", {}, ...rows)));
  };
  // Commands stand between backticks.
  const sentence = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", { textContent: part }) : part));
  const progress = (found) => {
    const parts = [];
    if (found.trouble) parts.push(make("p", { role: "alert" }, ...sentence(`The report can't be updated: ${found.trouble}`)));
    if (!found.headline) return $("live-status").replaceChildren(...parts); // Nothing else is known.
    parts.push(make("p", { className: "sentence", role: "status" }, ...sentence(found.headline)));
    parts.push(make("div", { className: "stages" }, ...found.stages.map(stage)));
    parts.push(...found.best.map((text) => make("p", { textContent: text })));
    if (found.running.length) parts.push(running(found.running));
    if (found.log.length) {
      const old = document.querySelector("#live details");
      const log = make("details", { open: old ? old.open : found.running.length > 0 }, make("summary", { textContent: "Last lines of the log" }),
        make("pre", { className: "log", tabIndex: 0, textContent: found.log.join("\n") }));
      parts.push(log);
    }
    $("live-status").replaceChildren(...parts);
  };

  // A newer report: swap its parts, and keep the place, the filter, what is open and what has the focus
  const renew = async (version) => {
    if (!getSelection().isCollapsed) return; // Text that is being selected stays.
    const answer = await fetch("report.html", { cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const sections = [...document.querySelectorAll("#report section")];
    const anchor = sections.find((each) => each.getBoundingClientRect().bottom > 0);
    const top = anchor ? anchor.getBoundingClientRect().top : 0;
    const opened = new Set([...document.querySelectorAll("#report details[open] > summary")].map((each) => each.textContent));
    const scrolled = new Map([...document.querySelectorAll("#report [role=region]")].map((each) => [each.getAttribute("aria-label"), each.scrollLeft]));
    const focused = document.activeElement && document.activeElement.id;
    const caret = focused === "filter" ? [document.activeElement.selectionStart, document.activeElement.selectionEnd] : null;
    $("report").replaceChildren(...[...page.querySelector("main").children].map((each) => document.importNode(each, true)));
    document.title = page.title;
    mount();
    document.querySelectorAll("#report details > summary").forEach((each) => { if (opened.has(each.textContent)) each.parentElement.open = true; });
    document.querySelectorAll("#report [role=region]").forEach((each) => { each.scrollLeft = scrolled.get(each.getAttribute("aria-label")) || 0; });
    if (focused && $(focused)) $(focused).focus({ preventScroll: true });
    if (caret) $("filter").setSelectionRange(...caret);
    const again = anchor && $(anchor.id);
    if (again && scrollY > 0) scrollBy({ top: again.getBoundingClientRect().top - top, behavior: "instant" });
    shown = version;
  };
  const ask = async () => {
    try {
      const answer = await fetch("live.json", { cache: "no-store" });
      if (answer.ok) {
        const found = await answer.json();
        progress(found);
        if (found.version && found.version !== shown) await renew(found.version);
      }
    } catch {
      // The server has ended: the page stays as it is.
    }
    setTimeout(ask, 2000);
  };
  ask();
})();
