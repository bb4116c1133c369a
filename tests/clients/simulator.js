// The duo-sim under test: the line of JSON that it prints at its start is the script's argument.

'use strict';

const assert = require('node:assert/strict');

const SIM = JSON.parse(process.argv[2]);
const PORT = Number(SIM.https.split(':').pop());

async function control(method, path, body) {
  const answer = await fetch(`http://${SIM.control}/sim${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, `${method} ${path}`);
  return answer.json();
}

module.exports = { SIM, PORT, control };
