// Asks the browser to be told, and hands its address and keys over with the form of the page.
const form = document.querySelector("form[data-push]");
const button = form?.querySelector("button");
const status = form?.querySelector("[role=status]");
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const binary = (written) => Uint8Array.from(atob(written.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const active = (registration) =>
  new Promise((done) => {
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    if (worker.state === "activated") done();
    else worker.addEventListener("statechange", () => worker.state === "activated" && done());
  });

if (form && "serviceWorker" in navigator && "PushManager" in window) {
  button.disabled = false;
  status.textContent = "";
  form.addEventListener("submit", async (event) => {
    if (form.elements.adresse.value) return;
    event.preventDefault();
    try {
      if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
      const registration = await navigator.serviceWorker.register("/notifications/sw.js", { scope: "/notifications/" });
      await active(registration);
      const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: binary(form.dataset.push) });
      form.elements.adresse.value = found.endpoint;
      form.elements.cle.value = text(found.getKey("p256dh"));
      form.elements.secret.value = text(found.getKey("auth"));
      form.requestSubmit();
    } catch {
      status.textContent = status.dataset.refused;
    }
  });
}
