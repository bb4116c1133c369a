// The Universal Prompt of duo-sim through Duo's Node client, unmodified.
//
// Argument: the line of JSON that duo-sim prints at its start.

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');

const { Client } = require('@duosecurity/duo_universal');

const { SIM, PORT, control } = require('./simulator.js');
const SETTINGS = {
  clientId: 'DISIMULATEDWEBSDK001',
  clientSecret: 'SimulatedWebSdkSecretSimulatedWebSdk0001',
  apiHost: `localhost:${PORT}`,
  redirectUrl: 'https://app.example.com/.duo-mfa/callback',
};
// The client has no option for its authorities.
const agent = new https.Agent({ ca: fs.readFileSync(SIM.ca) });

function client(changes = {}) {
  const made = new Client({ ...SETTINGS, ...changes });
  made.axios.defaults.httpsAgent = agent;
  return made;
}

// The parameters that a browser is sent back with; the redirect is not followed.
function opened(url) {
  return new Promise((resolve, reject) => {
    https
      .get(url, { agent }, answer => {
        answer.resume();
        try {
          assert.equal(answer.statusCode, 303);
          const location = new URL(answer.headers.location);
          assert.equal(location.origin + location.pathname, SETTINGS.redirectUrl);
          resolve(Object.fromEntries(location.searchParams));
        } catch (error) {
          reject(error);
        }
      })
      .on('error', reject);
  });
}

// The code of a browser that came back with the state it was sent with.
async function cameBack(api, { name = 'duo_code', nonce, user = 'alice' } = {}) {
  const state = api.generateState();
  let url = await api.createAuthUrl(user, state);
  // This version signs no nonce; a value in the query counts as well.
  if (nonce) url += `&nonce=${nonce}`;
  const back = await opened(url);
  assert.equal(back.state, state);
  return back[name];
}

async function healthCheck() {
  assert.equal((await client().healthCheck()).stat, 'OK');
  await assert.rejects(client({ clientSecret: 'x'.repeat(40) }).healthCheck(), /invalid_client/);
  await assert.rejects(client({ clientId: 'DIWJ8X6AEYOR5OMC6TQ1' }).healthCheck(), /invalid_client/);
  const closed = net.createServer();
  await new Promise(resolve => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address();
  await new Promise(resolve => closed.close(resolve));
  await assert.rejects(client({ apiHost: `localhost:${port}` }).healthCheck());
  for (const fault of [{ kind: 'status', status: 502, body: '<html>' }, { kind: 'malformed' }, { kind: 'empty' }]) {
    await control('POST', '/faults', { endpoint: 'health_check', times: 1, ...fault });
    await assert.rejects(client().healthCheck(), JSON.stringify(fault));
  }
}

async function exchange() {
  const api = client();
  const claims = await api.exchangeAuthorizationCodeFor2FAResult(await cameBack(api), 'alice');
  assert.equal(claims.preferred_username, 'alice');
  assert.equal(claims.auth_result.result, 'allow');
  assert.equal(claims.auth_context.factor, 'webauthn_security_key');
  const entry = (await control('GET', '/requests?endpoint=token')).pop();
  assert.equal(entry.jwt.header.alg, 'HS512');
  assert.match(entry.headers['content-type'], /form/);
}

async function refusals() {
  const api = client();
  const exchanged = (code, user, nonce) => api.exchangeAuthorizationCodeFor2FAResult(code, user, nonce);
  const code = await cameBack(api);
  await exchanged(code, 'alice');
  await assert.rejects(exchanged(code, 'alice'), /invalid_grant|grant/);
  await assert.rejects(exchanged(await cameBack(api), 'bob'), /username/);
  const other = client({ redirectUrl: 'https://app.example.com/other' });
  await assert.rejects(other.exchangeAuthorizationCodeFor2FAResult(await cameBack(api), 'alice'), /grant/);
  const wrong = client({ clientSecret: 'x'.repeat(40) });
  await assert.rejects(wrong.exchangeAuthorizationCodeFor2FAResult(await cameBack(api), 'alice'), /client/);
  await control('POST', '/faults', { endpoint: 'token', kind: 'secret', secret: 'x'.repeat(40), times: 1 });
  await assert.rejects(exchanged(await cameBack(api), 'alice'), /decoding JWT/);
}

async function nonces() {
  const api = client();
  const nonce = 'n'.repeat(36);
  const exchanged = async expected =>
    api.exchangeAuthorizationCodeFor2FAResult(await cameBack(api, { nonce }), 'alice', expected);
  assert.equal((await exchanged(nonce)).nonce, nonce);
  await assert.rejects(exchanged('o'.repeat(36)), /nonce/);
}

async function plainCode() {
  const api = client({ useDuoCodeAttribute: false });
  const code = await cameBack(api, { name: 'code' });
  assert.equal((await api.exchangeAuthorizationCodeFor2FAResult(code, 'alice')).sub, 'alice');
}

// The client looks at nothing that says `deny`: its caller has to.
async function denial() {
  const merge = { auth_result: { result: 'deny', status: 'deny' } };
  await control('POST', '/faults', { endpoint: 'token', kind: 'claims', merge, times: 1 });
  const api = client();
  const claims = await api.exchangeAuthorizationCodeFor2FAResult(await cameBack(api), 'alice');
  assert.equal(claims.auth_result.result, 'deny');
}

async function unusualNames() {
  const api = client();
  for (const user of ['zoë+o\'neil&=%"\\ 名', 'a']) {
    await control('POST', '/universal', { user, answer: 'approve' });
    const code = await cameBack(api, { user });
    const claims = await api.exchangeAuthorizationCodeFor2FAResult(code, user);
    assert.equal(claims.preferred_username, user);
  }
}

async function main() {
  for (const examine of [healthCheck, exchange, refusals, nonces, plainCode, denial, unusualNames]) {
    await control('POST', '/reset');
    await control('POST', '/universal', { user: 'alice', answer: 'approve', factor: 'webauthn_security_key' });
    await examine();
    console.log(`@duosecurity/duo_universal: ${examine.name}`);
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
