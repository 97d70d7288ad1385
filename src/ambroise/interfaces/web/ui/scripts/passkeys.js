// Passkeys: asks the browser for one, and sends its answer with the form of the page.
// Without this script the forms stay hidden, and the page says what else one can do.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => {
  const letters = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function ask(form) {
  const answer = await fetch("/cle/defi", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok) throw new Error(`challenge ${answer.status}`);
  const { reference, options } = await answer.json();
  form.elements.defi.value = reference;
  form.elements.reponse.value = JSON.stringify(
    "rp" in options ? await create(options) : await get(options),
  );
}

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    },
  };
}

async function get(options) {
  const shown = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return {
    id: shown.id,
    rawId: text(shown.rawId),
    type: shown.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}

async function send(form) {
  const problem = form.querySelector("[data-cle-erreur]");
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  problem.hidden = true;
  try {
    await ask(form);
    form.submit();
  } catch {
    // Given up, refused by the device, or too late: one sentence says what to do, whatever it was.
    problem.hidden = false;
    problem.focus();
  } finally {
    delete form.dataset.busy;
    delete form.dataset.sent;
  }
}

if (window.PublicKeyCredential) {
  for (const without of document.querySelectorAll("[data-cle-sans]")) without.hidden = true;
  for (const form of document.querySelectorAll("form[data-cle]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
}
