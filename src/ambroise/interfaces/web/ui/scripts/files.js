// What the chosen files are, before they are sent: a CDA says its title, an XDM zip that it holds several documents.
// Without this script the files are chosen, dropped and sent the same way; the page that answers says it all.

class ChosenFiles extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file]");
    this.list = this.querySelector("[data-chosen]");
    this.input.addEventListener("change", () => this.show());
  }

  async show() {
    const files = [...this.input.files];
    const lines = await Promise.all(files.map((file) => this.line(file)));
    this.list.replaceChildren(...lines);
    this.list.hidden = files.length === 0;
  }

  async line(file) {
    const [, itself, described, several] = this.dataset.words.split("|");
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = file.name;
    const head = await file.slice(0, 200000).text();
    const title = /<ClinicalDocument[\s>]/.test(head) ? head.match(/<title[^>]*>([^<]{1,200})<\/title>/) : null;
    const kind = title ? `${title[1].trim()}, ${itself}` : head.startsWith("PK") ? several : described;
    item.append(name, ` : ${kind}`);
    return item;
  }
}

customElements.define("chosen-files", ChosenFiles);

// The order of the photos of one document, before they are sent: each goes up or down. Without this script they are
// sent in the order in which they were chosen, or one by one.

class PhotoPages extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file][multiple]");
    this.order = this.querySelector("[data-order]");
    this.list = this.order.querySelector("ol");
    this.querySelector("[data-one-by-one]").hidden = true;
    this.input.addEventListener("change", () => this.show([...this.input.files]));
  }

  show(files) {
    const [up, down, page] = this.dataset.words.split("|");
    this.order.hidden = files.length < 2;
    this.list.replaceChildren(
      ...files.map((file, at) => {
        const item = document.createElement("li");
        const name = document.createElement("span");
        name.textContent = file.name;
        item.append(name, this.button(up, at, at - 1, files, page), this.button(down, at, at + 1, files, page));
        return item;
      }),
    );
  }

  button(words, from, to, files, page) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small";
    button.textContent = words;
    button.setAttribute("aria-label", `${words} : ${page} ${from + 1}, ${files[from].name}`);
    button.disabled = to < 0 || to >= files.length;
    button.addEventListener("click", () => this.move(files, from, to, words));
    return button;
  }

  move(files, from, to, words) {
    const moved = files.toSpliced(from, 1).toSpliced(to, 0, files[from]);
    const chosen = new DataTransfer();
    moved.forEach((file) => chosen.items.add(file));
    this.input.files = chosen.files;
    this.show(moved);
    const again = [...this.list.children[to].querySelectorAll("button")];
    (again.find((one) => one.textContent === words && !one.disabled) ?? again.find((one) => !one.disabled)).focus();
  }
}

customElements.define("photo-pages", PhotoPages);
