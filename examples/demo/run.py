#!/usr/bin/env python3
"""Runs the demo until Ctrl-C: `make demo`."""

import sys
import time

from stack import PORTS, Stack

WELCOME = """
  The application behind Envoy   {envoy}
  The phone (approve, deny)      {phone}/phone

Try, in a second terminal:

  # Held until you approve on the phone page; the jar keeps the approval.
  curl -b jar -c jar {login}/reports
  # Passes at once: the jar holds an approval.
  curl -b jar -c jar {login}/reports
  # Held, body and all.
  curl -b jar2 -c jar2 {login}/orders -d '{{"amount": 12}}'
  # A passcode up front, nothing to wait for.
  curl -H 'x-duo-mfa-passcode: 123456' {login}/reports
  # Refused by Duo's policy, without a push.
  curl -i {mallory}/reports

Users: alice (push), bob (verified push), carol (text messages), peter (phone call), tom (hardware token), two (two
phones), dave (not enrolled), mallory (denied), eve (locked out), bella (bypass). Everybody's password is "demo".

Below is Envoy's access log and what the filter says. Ctrl-C ends everything.
"""


def main():
    with Stack(PORTS) as stack:
        envoy = stack.url("envoy")
        login = envoy.replace("//", "//alice:demo@")
        mallory = envoy.replace("//", "//mallory:demo@")
        print(WELCOME.format(envoy=envoy, phone=stack.url("phone"), login=login, mallory=mallory), flush=True)
        while not (ended := stack.ended()):
            time.sleep(0.2)
        return f"{ended} ended by itself"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print()
