"use strict";
// While a study runs: asks the server on this machine every few seconds whether there is a newer
// report, and loads it; the browser keeps the place in the page.
(() => {
  const ask = async () => {
    try {
      const answer = await fetch("version", { cache: "no-store" });
      const version = (await answer.text()).trim();
      const shown = document.documentElement.dataset.version;
      if (answer.ok && version !== shown) location.reload();
    } catch {
      // The server has ended: what is shown stays as it is.
    }
  };
  setInterval(ask, 2000);
})();
