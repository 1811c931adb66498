// What every page does beyond HTML: the summary of errors takes the focus, and a form that is under
// way is not sent a second time (but one whose answer may be a file, data-again). Everything works without it.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const focus = document.querySelector("[data-focus]");
  if (focus) focus.focus();
  for (const form of document.querySelectorAll("form")) {
    if ("again" in form.dataset) continue;
    form.addEventListener("submit", (e) => {
      if (form.dataset.sent) { e.preventDefault(); return; }
      form.dataset.sent = "yes";
      form.setAttribute("aria-busy", "true");
    });
  }
});
// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});
