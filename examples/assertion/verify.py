"""Verifies the signed assertion of duo-mfa in an application, with PyJWT (`pip install 'pyjwt[crypto]>=2.14'`).

verifier = Verifier("https://envoy.internal/.duo-mfa/jwks.json", issuer="https://mfa.example.com", audience="app")
user = verifier.verify(request.headers.get("x-duo-mfa-assertion", ""))["sub"]
"""

import hashlib
import time

import jwt

# The clocks of Envoy and of this machine may differ by as much, in seconds.
LEEWAY = 5


class Refused(Exception):
    """The request has no valid assertion: answer 403."""


class Verifier:
    def __init__(self, jwks_url, issuer, audience):
        # Keys are kept for five minutes, as long as the filter's `cache-control` says. A key that is not among them is looked for
        # at most once in 30 seconds.
        self.keys = jwt.PyJWKClient(jwks_url, lifespan=300, cooldown_duration=30, timeout=5)
        self.issuer, self.audience = issuer, audience

    def verify(self, assertion, max_age=None, approvers=()):
        """The claims. `max_age` is how many seconds ago the user may have passed the second factor. Where a rule has an
        `approver`, the user was not asked: one of the `approvers` must have been."""
        try:
            key = self.keys.get_signing_key_from_jwt(assertion).key
            claims = jwt.decode(
                assertion,
                key,
                # Never the algorithm that the assertion names.
                algorithms=["EdDSA"],
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "sub", "iat", "exp", "auth_time", "amr"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise Refused(str(error)) from error
        if approvers:
            if claims.get("approver") not in approvers or claims["approver"] == claims["sub"]:
                raise Refused("not approved by one of these people")
        elif not isinstance(claims["amr"], list) or "mfa" not in claims["amr"]:
            raise Refused("no second factor")
        if max_age is not None and claims["auth_time"] + max_age < time.time() - LEEWAY:
            raise Refused("the second factor is too old")
        return claims

    def verify_request(self, assertion, method, host, path, body=b"", max_age=None, approvers=()):
        """The claims, if the approval is one of this very request. `path` has the query. For what a rule with `approval:
        per_request` protects: an assertion of another approval has none of these claims, and is refused."""
        claims = self.verify(assertion, max_age, approvers)
        expected = {"method": method, "host": host, "path": path, "body_sha256": hashlib.sha256(body).hexdigest()}
        for name, value in expected.items():
            if claims.get(name) != value:
                raise Refused(f"approved for another request: {name}")
        return claims
