// What the counter's pages do beyond HTML: a part that is marked as live is fetched anew when something
// has happened, and a letter is printed by a button. Everything works without it.
"use strict";
(() => {
  // While another page is on its way, nothing is fetched or taken in the place of this one.
  let leaving = false;
  window.addEventListener("beforeunload", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; });

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // renew takes the live part of the page as it is now in the place of the old one; the focus stays.
  const renew = async (old) => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (leaving) return;
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (leaving) return;
    if (!fresh) return location.reload();
    const had = document.activeElement;
    const href = had && old.contains(had) ? had.getAttribute("href") : null;
    old.replaceWith(document.importNode(fresh, true));
    const said = document.querySelector("[data-live-said]");
    if (said) said.textContent = said.dataset.liveSaid;
    if (had && !document.contains(had)) {
      const now = document.querySelector("[data-live]");
      const again = href && [...now.querySelectorAll("a[href]")].find((a) => a.getAttribute("href") === href);
      (again || document.querySelector("main")).focus();
    }
  };

  const follow = async () => {
    for (;;) {
      const part = document.querySelector("[data-live]");
      if (!part) return;
      if (leaving) { await pause(1000); continue; }
      try {
        const answer = await fetch(part.dataset.live + "?since=" + encodeURIComponent(part.dataset.mark));
        if (leaving) continue;
        if (answer.status === 401) return location.reload();
        if (!answer.ok) throw new Error(String(answer.status));
        const { mark } = await answer.json();
        if (mark !== part.dataset.mark) await renew(part);
      } catch {
        await pause(3000); // the town does not answer now
      }
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    }
    follow();
  });
})();
