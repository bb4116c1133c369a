#!/usr/bin/env python3
"""Runs the demo until Ctrl-C: `make demo`."""

import re
import sys
import time

import readme
from stack import PORTS, Stack, fixed_ports

WELCOME = """
  The application behind Envoy   {envoy}
  The same by Duo's own page     {universal}/reports (in a browser)
  The phone (approve, deny)      {phone}/phone

Try, in a second terminal:

{commands}

Users: alice (push), bob (verified push), carol (text messages), peter (phone call), tom (hardware token), two (two
phones), dave (not enrolled), mallory (denied), eve (locked out), bella (bypass). Everybody's password is "demo".

Below is Envoy's access log and what the filter says. Ctrl-C ends everything.
"""


def at_its_ports(line, ports):
    """A command of the README, which has the usual ports, for the ports of this demo."""
    names = {str(port): name for name, port in PORTS.items()}
    return re.sub(r"(?<=:)\d+", lambda usual: str(ports[names[usual[0]]]) if usual[0] in names else usual[0], line)


def main():
    with Stack(fixed_ports()) as stack:
        urls = {name: stack.url(name) for name in ("envoy", "universal", "phone")}
        commands = "\n".join(f"  {at_its_ports(line, stack.ports)}" for line in readme.session("demo"))
        print(WELCOME.format(commands=commands, **urls), flush=True)
        while not (ended := stack.ended()):
            time.sleep(0.2)
        return f"{ended} ended early"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print()
