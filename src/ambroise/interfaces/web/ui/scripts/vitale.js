// The e-carte Vitale in a browser: renewing a code shown by the portal, putting the card on this telephone, and showing it
// from there, with or without a network.
//
// The telephone keeps a P-256 key that scripts cannot read out, and a secret under the person's code (PBKDF2, AES-GCM).
// A token needs both. A try is counted before it is made; after the last one the card leaves the telephone.
const ROUNDS = 600_000;
const UNLOCKED = 5 * 60_000;
const RENEW_BEFORE = 5;
const by = (id) => document.getElementById(id);
const bytes = (text) => new TextEncoder().encode(text);
const plain = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const binary = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

// What the telephone keeps: one card.

const open = () =>
  new Promise((done, failed) => {
    const asked = indexedDB.open("vitale", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("card");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
const kept = async (mode, act) => {
  const base = await open();
  try {
    return await new Promise((done, failed) => {
      const work = base.transaction("card", mode, { durability: "strict" });
      const asked = act(work.objectStore("card"));
      work.oncomplete = () => done(asked.result);
      work.onerror = work.onabort = () => failed(work.error);
    });
  } finally {
    base.close();
  }
};
const load = () => kept("readonly", (cards) => cards.get("card"));
const save = (card) => kept("readwrite", (cards) => cards.put(card, "card"));
const forget = () => kept("readwrite", (cards) => cards.delete("card"));

const under = async (code, salt) => {
  const known = await crypto.subtle.importKey("raw", bytes(code), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, known, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
};

// Putting the card here.

const phone = by("telephone");
phone?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const say = (words) => {
    by("refus-mots").textContent = words;
    by("refus").hidden = false;
    by("refus").focus();
  };
  try {
    const code = phone.elements.code.value;
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const form = new FormData(phone);
    form.set("cle", JSON.stringify({ kty, crv, x, y }));
    form.set("nom", phone.dataset.name);
    const answer = await fetch(location.pathname, { method: "POST", body: form, redirect: "error" });
    const said = await answer.json();
    if (!answer.ok) return say(said.words);
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await under(code, salt), binary(said.seed));
    const { device, name, birth, until, lasts, tries } = said;
    const offset = said.now - Date.now();
    await save({ key: pair.privateKey, device, name, birth, until, lasts, tries, offset, salt, iv, sealed, last: 0, wrong: 0 });
    location.assign(phone.dataset.app);
  } catch {
    say(phone.dataset.failed);
  }
});

// Renewing what the portal shows.

const shown = by("suite") && by("carte");
if (shown) {
  let left = Number(shown.dataset.lasts);
  const tick = setInterval(async () => {
    left -= 1;
    by("reste").value = Math.max(left, 0);
    if (left > RENEW_BEFORE || document.hidden) return;
    left = Number(shown.dataset.lasts);
    const answer = await fetch(location.href, { method: "POST", body: new FormData(by("suite")) });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("carte");
    if (next) return shown.firstElementChild.replaceWith(next.firstElementChild);
    clearInterval(tick);
    location.assign(location.href);
  }, 1000);
}

// Showing the card from here.

const app = document.querySelector("main[data-qr]");
if (app) start();

async function start() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/vitale/sw.js", { scope: "/vitale/app" });
  let card = await load();
  let secret = null;
  let until = 0;
  let left = 0;
  const show = (id, there) => (by(id).hidden = !there);
  const words = (text, n) => text.replace("{n}", n);
  const date = (text) => (text ? text.split("-").reverse().join("/") : "");

  const face = () => {
    show("vide", !card);
    show("carte", Boolean(card));
    if (!card) return;
    by("nom").textContent = card.name;
    by("naissance").textContent = date(card.birth);
    by("fin").textContent = date(card.until);
    show("code-form", !secret);
    show("montre", Boolean(secret));
  };
  const network = () => {
    by("reseau").textContent = navigator.onLine ? "" : by("reseau").dataset.offline;
  };
  const lock = () => {
    secret = null;
    by("qr").replaceChildren();
    by("jeton-lecteur").textContent = "";
    face();
  };

  // The clock of the telephone may be wrong: what ours said last is kept, and used without a network.
  const setClock = async () => {
    if (!card || !navigator.onLine) return;
    try {
      const before = Date.now();
      const said = await (await fetch("/vitale/heure", { cache: "no-store" })).json();
      card.offset = said.now - (before + Date.now()) / 2;
      await save(card);
    } catch {
      // No network after all: the last known difference serves.
    }
  };

  const unlock = async (code) => {
    card.wrong += 1;
    await save(card);
    try {
      const seed = await crypto.subtle.decrypt({ name: "AES-GCM", iv: card.iv }, await under(code, card.salt), card.sealed);
      secret = await crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      until = Date.now() + UNLOCKED;
      card.wrong = 0;
      await save(card);
      return true;
    } catch {
      if (card.wrong < card.tries) return false;
      await forget();
      card = null;
      face();
      show("vide", false);
      show("efface", true);
      return false;
    }
  };

  // One number is the clock and the counter: each token has a greater one than all before it.
  const token = async (reader = "") => {
    card.last = Math.max(card.last + 1, Math.round(Date.now() + card.offset));
    await save(card);
    const opens = by("ouvrir").checked ? 1 : 0;
    const proof = (await crypto.subtle.sign("HMAC", secret, bytes(`${card.last}.${reader}.${opens}`))).slice(0, 16);
    const said = { n: card.last, m: plain(proof), ...(reader && { r: reader }), ...(opens && { a: 1 }) };
    const header = { alg: "ES256", typ: "vitale+jws", kid: `d.${card.device}` };
    const text = `${plain(bytes(JSON.stringify(header)))}.${plain(bytes(JSON.stringify(said)))}`;
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, card.key, bytes(text));
    return `${text}.${plain(signature)}`;
  };

  const draw = async () => {
    const { generate, correction } = await import(app.dataset.qr);
    const code = generate(await token(), { minCorrectionLevel: correction.L, maxCorrectionLevel: correction.L });
    let path = "";
    for (let y = 0; y < code.size; y += 1) for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
    const picture = by("dessin").content.firstElementChild.cloneNode(true);
    picture.setAttribute("viewBox", `-4 -4 ${code.size + 8} ${code.size + 8}`);
    picture.firstElementChild.setAttribute("d", path);
    by("qr").replaceChildren(picture);
    left = card.lasts;
  };

  by("code-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = by("code").value;
    by("code").value = "";
    const right = given && (await unlock(given));
    show("faux", !right && Boolean(card));
    if (!right) {
      if (card) by("faux").textContent = words(by("faux").dataset.left, card.tries - card.wrong);
      return;
    }
    await setClock();
    face();
    await draw();
  });
  by("lecteur-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = by("lecteur").value.trim().toLowerCase();
    by("jeton-lecteur").textContent = /^[0-9a-f]{32}$/.test(asked) ? await token(asked) : "";
  });
  by("ouvrir").addEventListener("change", () => secret && draw());
  by("ranger").addEventListener("click", lock);
  addEventListener("online", network);
  addEventListener("offline", network);
  document.addEventListener("visibilitychange", () => document.hidden && secret && lock());

  setInterval(async () => {
    if (!secret) return;
    if (Date.now() > until) return lock();
    left -= 1;
    by("reste").value = left;
    by("temps").textContent = words(app.dataset.left, left);
    if (left <= RENEW_BEFORE) {
      left = card.lasts;
      await draw();
    }
  }, 1000);
  face();
  network();
  await setClock();
}
