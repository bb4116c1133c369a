// Runs the cases of standard input through examples/assertion/verify.mjs, and prints a line for each. The test puts a copy of
// that file beside this one, in a folder with `node_modules`.

import { readFileSync } from 'node:fs'
import { Refused, Verifier } from './verify.mjs'

const given = JSON.parse(readFileSync(0, 'utf8'))
const verifier = new Verifier(given.jwks, given.issuer, given.audience)
for (const { assertion, request, max_age: maxAge, approvers } of given.cases) {
  try {
    const claims = request
      ? await verifier.verifyRequest(assertion, request, maxAge, approvers)
      : await verifier.verify(assertion, maxAge, approvers)
    console.log('accepted', claims.sub)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.log('refused', error.message)
  }
}
