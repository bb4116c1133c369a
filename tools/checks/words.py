"""Settings that no shipped file may have, and settings that it must have, as Envoy and its control planes spell them."""

# Each lets requests pass while the filter is down.
OPEN = {"fail_open": True, "failOpen": True, "failStrategy": "FAIL_OPEN", "failure_policy": "FAIL_OPEN", "failure_mode_allow": True}

# Without one of these, Envoy's TLS takes any certificate, or the server does not know which one to show.
VERIFIED = ("sni", "trusted_ca", "match_typed_subject_alt_names")

# The same of Istio's, which trusts the system's authorities.
ISTIO_VERIFIED = ("mode", "sni", "subjectAltNames")
