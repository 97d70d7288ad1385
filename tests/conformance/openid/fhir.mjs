// An application of others' making, on fhirclient: opened by a launch, it signs the professional on and reads the patient
// whom it was opened on. What it knows of SMART App Launch is code that we did not write.
import { createServer } from "node:http";
import readline from "node:readline";
import smart from "fhirclient";

const kept = new Map();
const storage = {
  get: async (key) => kept.get(key),
  set: async (key, value) => (kept.set(key, value), value),
  unset: async (key) => kept.delete(key),
};

async function answer(request, response) {
  const app = smart(request, response, storage);
  if (request.url.startsWith("/launch")) {
    await app.authorize({ clientId: given.client_id, scope: given.scope, redirectUri: "/back" });
    return;
  }
  const client = await app.ready();
  const patient = await client.patient.read();
  const conditions = await client.patient.request("Condition", { flat: true });
  const elsewhere = await client.request(`Patient/${given.other}`).then(() => 200, (error) => error.statusCode);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ patient, conditions, elsewhere, user: client.user.fhirUser }));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error.stack));
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
const given = JSON.parse((await readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
