// Keys for a dense list: j and k move, Enter opens, / goes to the filter, n to the main action.
// The list is a table of links: without this script the Tab key does the same.

class RowKeys extends HTMLElement {
  connectedCallback() {
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog[open]")) return;
    const move = { j: 1, k: -1 }[event.key];
    if (move) this.move(move, event);
    if (event.key === "/") this.reach("[data-filter]", event);
    if (event.key === "n") this.reach("[data-main]", event)?.click();
  }

  move(step, event) {
    const links = [...this.querySelectorAll("tbody th a")];
    if (!links.length) return;
    const focused = links.indexOf(document.activeElement);
    const present = links.findIndex((link) => link.closest("tr").hasAttribute("aria-current"));
    const from = focused >= 0 ? focused : present;
    links[Math.max(0, Math.min(links.length - 1, from + step))].focus();
    event.preventDefault();
  }

  reach(selector, event) {
    const found = document.querySelector(selector);
    if (found) event.preventDefault();
    found?.focus();
    return found;
  }
}

customElements.define("row-keys", RowKeys);

// The row whose preview was just brought in becomes the present one.
document.addEventListener("click", (event) => {
  const link = event.target.closest("row-keys tbody th a");
  if (!link) return;
  for (const row of link.closest("tbody").rows) row.removeAttribute("aria-current");
  link.closest("tr").setAttribute("aria-current", "true");
});
