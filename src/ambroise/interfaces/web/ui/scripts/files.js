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
