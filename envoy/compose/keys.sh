#!/bin/sh
# keys.sh FOLDER: makes a secret key and a cookie key, as FOLDER/keys, for a shell to read.
set -eu

secret_key=$(od -An -v -N 20 -t x1 /dev/urandom | tr -d ' \n')
cookie_key=$(head -c 32 /dev/urandom | base64)
cat >"$1/keys" <<KEYS
export DUO_SECRET_KEY=$secret_key
export DUO_MFA_COOKIE_KEY=$cookie_key
KEYS
