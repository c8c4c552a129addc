"use strict";
// While a study runs: asks the server on this machine for a newer report every few seconds, and
// loads it; the browser restores the scroll position.
(() => {
  const ask = async () => {
    try {
      const answer = await fetch("version", { cache: "no-store" });
      const version = (await answer.text()).trim();
      const shown = document.documentElement.dataset.version;
      if (answer.ok && version !== shown) location.reload();
    } catch {
      // The server has ended: the page stays as it is.
    }
  };
  setInterval(ask, 2000);
})();
