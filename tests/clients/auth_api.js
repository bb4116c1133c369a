// All endpoints of duo-sim through Duo's Node client, in v2-sha512 and v5.
//
// Argument: the line of JSON that duo-sim prints at its start.

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');

const { SIM, PORT, control } = require('./simulator.js');
const IKEY = 'DIWJ8X6AEYOR5OMC6TQ1';
const SKEY = 'Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep';

// The client has options neither for its authorities nor for the port.
require('@duosecurity/duo_api/lib/constants').DUO_PINNED_CERT = fs.readFileSync(SIM.ca);
const request = https.request;
https.request = (options, callback) => request.call(https, { ...options, port: PORT }, callback);

const { Client } = require('@duosecurity/duo_api');

function caller(version, skey = SKEY) {
  const client = new Client(IKEY, skey, 'localhost', version);
  return (method, name, params = {}) =>
    new Promise(resolve => client.jsonApiCall(method, `/auth/v2/${name}`, params, resolve));
}

async function push(call, action) {
  const started = await call('POST', 'auth', {
    username: 'alice', factor: 'push', device: 'auto', async: '1', pushinfo: 'path=%2Fadmin&%C3%BC=%E2%82%AC',
  });
  const txid = started.response.txid;
  const first = await call('GET', 'auth_status', { txid });
  assert.equal(first.response.status, 'pushed');
  setTimeout(() => control('POST', `/transactions/${txid}/${action}`), 200);
  const last = await call('GET', 'auth_status', { txid });
  const told = (await control('GET', '/transactions')).find(it => it.txid === txid).context;
  assert.deepEqual(told.pushinfo, [['path', '/admin'], ['ü', '€']]);
  return [last.response.result, last.response.status];
}

async function enrollment(call) {
  const { response } = await call('POST', 'enroll', { username: 'newcomer', valid_secs: '600' });
  const status = async () => {
    const { user_id, activation_code } = response;
    return (await call('POST', 'enroll_status', { user_id, activation_code })).response;
  };
  assert.equal(await status(), 'waiting');
  await control('POST', '/enrollments/claim', { activation_code: response.activation_code });
  assert.equal(await status(), 'success');
}

async function endpoints(version, form) {
  const call = caller(version);
  assert.equal((await call('GET', 'ping')).stat, 'OK');
  assert.equal((await call('GET', 'check')).stat, 'OK');
  const preauth = async username =>
    (await call('POST', 'preauth', { username, client_supports_verified_push: '1' })).response.result;
  assert.equal(await preauth('alice'), 'auth');
  assert.equal(await preauth("zoë +~*&=/%!'()"), 'enroll');
  assert.equal(await preauth('bella'), 'allow');
  assert.equal(await preauth('mallory'), 'deny');
  assert.deepEqual(await push(call, 'approve'), ['allow', 'allow']);
  assert.deepEqual(await push(call, 'deny'), ['deny', 'deny']);
  const passcode = async code =>
    (await call('POST', 'auth', { username: 'alice', factor: 'passcode', passcode: code })).response.result;
  assert.equal(await passcode('123456'), 'allow');
  assert.equal(await passcode('000000'), 'deny');
  await enrollment(call);
  const { code, message, message_detail } = await call('GET', 'auth_status', { txid: 'none' });
  assert.deepEqual([code, message, message_detail], [40002, 'Invalid request parameters', 'txid']);
  const requests = await control('GET', '/requests');
  assert.deepEqual([...new Set(requests.map(it => it.signature))], [form]);
  assert.ok(requests.some(it => it.headers['transfer-encoding'] === 'chunked'), 'bodies come in chunks');
  const refused = await caller(version, 'x'.repeat(40))('GET', 'check');
  assert.equal(refused.code, 40103);
}

async function main() {
  for (const [version, form] of [[2, 'v2-sha512'], [5, 'v5']]) {
    await control('POST', '/reset');
    await endpoints(version, form);
    console.log(`duo_api ${form}: all endpoints`);
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
