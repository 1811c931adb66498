// Follows an act that is under way: asks the console to answer as soon as a step is done, shows the new
// list, and loads the page again when the act is over. It asks nothing when no act is on the page, and
// waits while the page is not seen.
"use strict";
(() => {
  const find = () => document.querySelector("[data-act]");
  const seen = () => document.visibilityState === "visible" ? Promise.resolve() :
    new Promise((go) => document.addEventListener("visibilitychange", go, { once: true }));
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  async function follow() {
    for (let doing = find(), wrong = 0; doing; doing = find()) {
      await seen();
      try {
        const news = await (await fetch(`/acts/${doing.dataset.act}/rev?after=${doing.dataset.rev}`)).json();
        if (!news.running) {
          location.hash = "result";
          location.reload();
          return;
        }
        const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
        const next = page.querySelector("[data-act]");
        if (next) {
          doing.querySelector(".progress").replaceWith(next.querySelector(".progress"));
          doing.dataset.rev = next.dataset.rev;
        } else {
          doing.dataset.rev = String(news.rev - 1);
        }
        wrong = 0;
      } catch {
        if (++wrong > 30) return; // the console is gone; the reader can load the page again
        await pause(1000);
      }
    }
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (location.hash === "#result") document.getElementById("result")?.focus();
    follow();
  });
})();
