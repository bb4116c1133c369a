// Verifies the signed assertion of duo-mfa in an application, with jose (`npm install jose`).
//
//     const verifier = new Verifier('https://envoy.internal/.duo-mfa/jwks.json', 'https://mfa.example.com', 'app')
//     const { sub } = await verifier.verify(request.headers['x-duo-mfa-assertion'] ?? '')

import { createHash } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

// The clocks of Envoy and of this machine may differ by as much, in seconds.
const LEEWAY = 5

/** The request has no valid assertion: answer 403. */
export class Refused extends Error {}

export class Verifier {
  constructor(jwksUrl, issuer, audience) {
    // Keys are kept for five minutes, as long as the filter's `cache-control` says. A key that is not among them is looked for
    // at most once in 30 seconds.
    this.keys = createRemoteJWKSet(new URL(jwksUrl), { cacheMaxAge: 300_000, cooldownDuration: 30_000, timeoutDuration: 5000 })
    this.issuer = issuer
    this.audience = audience
  }

  /**
   * The claims. `maxAge` is how many seconds ago the user may have passed the second factor. Where a rule has an `approver`, the
   * user was not asked: one of the `approvers` must have been.
   */
  async verify(assertion, maxAge, approvers = []) {
    const { payload } = await jwtVerify(assertion, this.keys, {
      algorithms: ['EdDSA'], // never the algorithm that the assertion names
      issuer: this.issuer,
      audience: this.audience,
      clockTolerance: LEEWAY,
      requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp', 'auth_time', 'amr'],
    }).catch((error) => {
      throw error instanceof errors.JOSEError ? new Refused(error.message, { cause: error }) : error
    })
    if (approvers.length > 0) {
      if (!approvers.includes(payload.approver) || payload.approver === payload.sub) {
        throw new Refused('not approved by one of these people')
      }
    } else if (!Array.isArray(payload.amr) || !payload.amr.includes('mfa')) {
      throw new Refused('no second factor')
    }
    const now = Date.now() / 1000
    if (maxAge !== undefined && !(payload.auth_time + maxAge >= now - LEEWAY)) {
      throw new Refused('the second factor is too old')
    }
    return payload
  }

  /**
   * The claims, if the approval is one of this very request. `path` has the query. For what a rule with `approval: per_request`
   * protects: an assertion of another approval has none of these claims, and is refused.
   */
  async verifyRequest(assertion, { method, host, path, body = '' }, maxAge, approvers = []) {
    const claims = await this.verify(assertion, maxAge, approvers)
    const expected = { method, host, path, body_sha256: createHash('sha256').update(body).digest('hex') }
    for (const [name, value] of Object.entries(expected)) {
      if (claims[name] !== value) {
        throw new Refused(`approved for another request: ${name}`)
      }
    }
    return claims
  }
}
