// Leads the person back to the page that asked, once they have seen that it is done. Without script
// the link does.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const link = document.querySelector("a[data-return]");
  if (link) setTimeout(() => location.replace(link.href), Number(link.dataset.return));
});
