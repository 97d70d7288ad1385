// Small improvements; every page works without them.

// A menu closes on Escape and on a click elsewhere, as people expect of one.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

// After an error, the summary is read and focused first.
document.querySelector(".summary")?.focus();

// A button that opens a dialog is a link to the same confirmation as a page: the dialog only spares the page.
for (const link of document.querySelectorAll("a[data-dialog]")) {
  link.addEventListener("click", (event) => {
    const dialog = document.getElementById(link.dataset.dialog);
    if (!dialog?.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
  });
}
for (const cancel of document.querySelectorAll("dialog a[data-close]")) {
  cancel.addEventListener("click", (event) => {
    event.preventDefault();
    cancel.closest("dialog").close();
  });
}

// A form is sent once, and says that it is on its way.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 8000);
    const waiting = form.querySelector("[data-waiting]");
    if (waiting) waiting.hidden = false;
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Printing is a gesture of the browser: the button stands where there is a script to make it.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
