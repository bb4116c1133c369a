#!/usr/bin/env bash
# duo-mfa.sh URL [CURL ARGUMENTS]: a request of a program to an application behind the filter; signs in where it has to.
#
#   DUO_MFA_CURLRC    the first factor, as `curl --config` reads it, e.g. the line: user = "alice:secret"
#   DUO_MFA_PASSCODE  a passcode, taken instead of a push
#   DUO_MFA_JAR       where the approval is kept, default ~/.duo-mfa.jar
set -euo pipefail
umask 077

url=${1:?usage: duo-mfa.sh URL [CURL ARGUMENTS]}
shift
origin=$(sed -E 's#^(https?://[^/?]+).*#\1#' <<<"$url")
jar=${DUO_MFA_JAR:-$HOME/.duo-mfa.jar}
body=$(mktemp)
trap 'rm -f "$body"' EXIT

# Prints the status; the body goes into its file. A held request waits for a person.
ask() {
    curl --silent --show-error --max-time 90 --config "${DUO_MFA_CURLRC:?names a file with the first factor}" \
        --cookie "$jar" --cookie-jar "$jar" --output "$body" --write-out '%{http_code}' "$@"
}

request() {
    ask ${DUO_MFA_PASSCODE:+--header "x-duo-mfa-passcode: $DUO_MFA_PASSCODE"} "$@" "$url"
}

# A member of the JSON in the body. Those that are read here hold no quotes.
member() {
    sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\1/p" "$body"
}

# For requests that are not held: starts a push, and follows it by the cookie that the answer set.
sign_in() {
    ask --request POST "$origin/.duo-mfa/auth?factor=push&device=auto" >/dev/null
    local code
    code=$(member verification_code)
    echo "Approve the push${code:+; its code is $code}" >&2
    while [ "$(member state)" = waiting ]; do
        sleep 1
        ask "$origin/.duo-mfa/status" >/dev/null
    done
    [ "$(member state)" = approved ]
}

status=$(request "$@")
if [ "$status" = 403 ] && [ "$(member code)" = mfa_required ] && sign_in; then
    status=$(request "$@")
fi
cat "$body"
[ "$status" -lt 400 ] || { echo "duo-mfa.sh: $status" >&2; exit 1; }
