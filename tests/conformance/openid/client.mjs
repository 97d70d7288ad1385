// A relying party built on openid-client. It is told what to do as JSON lines on its input, and answers with JSON lines:
// the whole of a client's side, checks included, is code that we did not write.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import readline from "node:readline";
import * as oidc from "openid-client";

const given = JSON.parse(process.argv[2]);
const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const hear = async () => JSON.parse((await input.next()).value);

// What `fetch` cannot do by itself: show a certificate. Plain HTTP goes the usual way.
async function showing(url, options) {
  if (!url.startsWith("https:")) return fetch(url, options);
  const pem = readFileSync(given.certificate);
  const settings = { method: options.method, headers: options.headers, ca: readFileSync(given.authority) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...settings, cert: pem, key: pem }, async (answer) => {
      const pieces = [];
      for await (const piece of answer) pieces.push(piece);
      resolve(new Response(Buffer.concat(pieces), { status: answer.statusCode, headers: answer.headers }));
    });
    sent.on("error", reject);
    sent.end(options.body?.toString());
  });
}

async function authentication() {
  if (given.certificate) return oidc.TlsClientAuth();
  if (given.key) {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    return oidc.PrivateKeyJwt(await crypto.subtle.importKey("jwk", given.key, algorithm, false, ["sign"]));
  }
  return given.client_secret ? oidc.ClientSecretBasic(given.client_secret) : oidc.None();
}
const metadata = given.certificate ? { use_mtls_endpoint_aliases: true } : undefined;
const config = await oidc.discovery(new URL(given.issuer), given.client_id, metadata, await authentication(), {
  execute: [oidc.allowInsecureRequests],
});
if (given.certificate) config[oidc.customFetch] = showing;
oidc.enableNonRepudiationChecks(config);

async function code() {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const build = given.pushed ? oidc.buildAuthorizationUrlWithPAR : oidc.buildAuthorizationUrl;
  const address = await build(config, {
    redirect_uri: given.redirect_uri,
    scope: "openid scope_all",
    acr_values: "eidas1",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  say({ address: address.href });
  const { back } = await hear();
  return await oidc.authorizationCodeGrant(config, new URL(back), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    maxAge: 300,
  });
}

const runs = {
  async code() {
    const tokens = await code();
    const claims = tokens.claims();
    const told = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    const known = given.client_secret ? await oidc.tokenIntrospection(config, renewed.access_token) : {};
    await oidc.tokenRevocation(config, renewed.refresh_token);
    const ended = given.client_secret ? await oidc.tokenIntrospection(config, renewed.access_token) : {};
    const leave = oidc.buildEndSessionUrl(config, {
      post_logout_redirect_uri: given.post_logout_redirect_uri,
      id_token_hint: renewed.id_token,
      state: "left",
    });
    say({ claims, told, known, ended, leave: leave.href, renewed: renewed.claims() });
  },
  async bound() {
    const tokens = await code();
    const told = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    const known = await oidc.tokenIntrospection(config, renewed.access_token);
    const headers = { authorization: `Bearer ${renewed.access_token}` };
    const bare = await fetch(config.serverMetadata().userinfo_endpoint, { headers });
    const open = await oidc.fetchProtectedResource(config, renewed.access_token, new URL(given.fhir), "GET");
    say({ told, known, bare: bare.status, open: open.status });
  },
  async machine() {
    const tokens = await oidc.clientCredentialsGrant(config, { scope: given.scope });
    say({ tokens, known: await oidc.tokenIntrospection(config, tokens.access_token) });
  },
  async ciba() {
    const begun = await oidc.initiateBackchannelAuthentication(config, {
      scope: "openid scope_all",
      acr_values: "eidas1",
      login_hint: given.login_hint,
      binding_message: given.binding_message,
      channel: "MOBILE",
    });
    say({ interval: begun.interval });
    const tokens = await oidc.pollBackchannelAuthenticationGrant(config, begun);
    say({ claims: tokens.claims(), told: await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub) });
  },
  async replay() {
    const tokens = await code();
    await oidc.refreshTokenGrant(config, tokens.refresh_token);
    try {
      await oidc.refreshTokenGrant(config, tokens.refresh_token);
      say({ error: null });
    } catch (error) {
      say({ error: error.error, description: error.error_description, status: error.status });
    }
  },
};

await runs[given.run]();
process.exit(0);
