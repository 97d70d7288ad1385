// Shows what a message says, and opens the notices. The message carries no health content, and nothing is kept.
addEventListener("push", (event) => {
  const said = event.data?.json() ?? {};
  event.waitUntil(registration.showNotification(said.title ?? "Ambroise", { body: said.body, tag: said.tag, data: "/notifications" }));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data));
});
