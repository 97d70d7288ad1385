// Keeps the page of the card and what it needs, so that a telephone shows the card without a network. It keeps nothing
// about anybody: the page is the same for all. VERSION and FILES are written above by the server.
const NAME = `vitale-${VERSION}`;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((one) => one.startsWith("vitale-") && one !== NAME).map((one) => caches.delete(one))))
      .then(() => clients.claim()),
  );
});

// The page comes from the network when there is one, so that it is never older than it must; the rest has names made
// from its content.
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !FILES.includes(url.pathname)) return;
  const kept = () => caches.match(url.pathname, { cacheName: NAME, ignoreVary: true, ignoreSearch: true });
  if (url.pathname === FILES[0]) event.respondWith(fetch(event.request).catch(kept));
  else event.respondWith(kept().then((found) => found ?? fetch(event.request)));
});
