// A provider built on oidc-provider, that plays Pro Santé Connect, a hospital or FranceConnect. It takes orders as JSON
// lines: who is there, at which level, what to spoil in the ID token, a new key. What is spoilt is signed again here.
import { createServer } from "node:http";
import readline from "node:readline";
import { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } from "jose";
import { Provider } from "oidc-provider";

// What oidc-provider says of its own set-up goes where it disturbs nobody.
console.info = console.warn = console.log = console.error;

const given = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const state = { person: null, acr: "eidas2", spoil: {}, refuse: false };
let key, current;

async function newKey(kid) {
  const made = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(made.privateKey)), kid, alg: "ES256", use: "sig" };
}

async function spoilt(token) {
  const { header = {}, claims = {}, how } = state.spoil;
  const all = { ...decodeJwt(token), ...claims };
  if (how === "none") return new UnsecuredJWT(all).encode();
  const { d, ...open } = key;
  if (how === "hmac") {
    return new SignJWT(all).setProtectedHeader({ alg: "HS256", kid: key.kid }).sign(Buffer.from(JSON.stringify(open)));
  }
  const signer = how === "stranger" ? await newKey(key.kid) : key;
  return new SignJWT(all).setProtectedHeader({ alg: "ES256", kid: key.kid, ...header }).sign(await importJWK(signer, "ES256"));
}

function provider(issuer) {
  const made = new Provider(issuer, {
    clients: given.clients,
    jwks: { keys: [key] },
    acrValues: ["eidas1", "eidas2", "eidas3"],
    pkce: { required: () => true },
    scopes: ["openid", "profile", "scope_all", "identite_pivot"],
    claims: {
      openid: ["sub", "acr"],
      profile: ["rpps"],
      scope_all: ["SubjectNameID"],
      identite_pivot: ["family_name", "given_name", "given_name_array", "birthdate", "gender", "birthplace", "birthcountry"],
      acr: null, auth_time: null, iss: null, sid: null,
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      jwtUserinfo: { enabled: true },
      claimsParameter: { enabled: true },
      encryption: { enabled: true },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...state.person.claims }) }),
    // It refuses to call this machine, rightly; here it must.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    cookies: { keys: ["a key for tests"] },
  });
  made.use(async (ctx, next) => {
    if (ctx.path.startsWith("/interaction/")) {
      const { grantId, params } = await made.interactionDetails(ctx.req, ctx.res);
      if (state.refuse) {
        return made.interactionFinished(ctx.req, ctx.res, { error: "access_denied" });
      }
      const grant = grantId
        ? await made.Grant.find(grantId)
        : new made.Grant({ accountId: state.person.sub, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      grant.addOIDCClaims(["acr"]);
      const answer = {
        login: { accountId: state.person.sub, acr: state.acr, amr: ["mfa"] },
        consent: { grantId: await grant.save() },
      };
      return made.interactionFinished(ctx.req, ctx.res, answer);
    }
    await next();
    if (ctx.path === "/token" && ctx.body?.id_token && Object.keys(state.spoil).length) {
      ctx.body = { ...ctx.body, id_token: await spoilt(ctx.body.id_token) };
    }
  });
  return made;
}

const server = createServer((request, response) => current.callback()(request, response));
server.listen(given.port, "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${given.port}`;
  key = await newKey("first");
  current = provider(issuer);
  say({ issuer });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    if (order.rotate) {
      key = await newKey(order.rotate);
      current = provider(issuer);
    }
    if (order.logout) {
      const token = await new SignJWT({ events: { "http://schemas.openid.net/event/backchannel-logout": {} }, ...order.logout })
        .setProtectedHeader({ alg: "ES256", kid: key.kid, typ: order.typ ?? "logout+jwt" })
        .sign(await importJWK(key, "ES256"));
      say({ token });
      continue;
    }
    Object.assign(state, order.set ?? {});
    say({ done: true });
  }
});
