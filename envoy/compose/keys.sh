#!/bin/sh
# keys.sh FOLDER: makes the secrets of both Duo applications and a cookie key, as FOLDER/keys, for a shell to read.
set -eu

secret() {
  od -An -v -N 20 -t x1 /dev/urandom | tr -d ' \n'
}
secret_key=$(secret)
client_secret=$(secret)
cookie_key=$(head -c 32 /dev/urandom | base64)
cat >"$1/keys" <<KEYS
export DUO_SECRET_KEY=$secret_key
export DUO_CLIENT_SECRET=$client_secret
export DUO_MFA_COOKIE_KEY=$cookie_key
KEYS
