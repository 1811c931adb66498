// The page that shows a QR code waits, in one long request at a time, until the other device has answered; the page after it goes on by
// itself. Without script the links do both.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const link = document.querySelector("a[data-return]");
  if (link) setTimeout(() => location.replace(link.href), Number(link.dataset.return));
  const waits = document.querySelector("[data-wait]");
  if (!waits) return;
  let failed = 0;
  const ask = async () => {
    try {
      const answer = await fetch(waits.dataset.wait, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      failed = 0;
      if ((await answer.json()).changed) { location.replace(waits.dataset.then); return; }
      ask();
    } catch {
      if (++failed < 60) setTimeout(ask, Math.min(1000 * failed, 10000));
    }
  };
  ask();
});
