"""Helm, kubectl kustomize, Docker Compose, promtool, Grafana's grammar of LogQL, and the project's own `duo-mfa check`, offline."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from . import documents

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.prefix) / "bin"
PROMTOOL = ROOT / ".tools/prometheus/promtool"
CLI = os.environ.get("DUO_MFA_CLI", ROOT / "target/debug/duo-mfa")


def run(*command, given=None):
    """Whether it succeeded, what it printed, and what it complained of."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    complaint = [line for line in done.stderr.splitlines() if line.strip()]
    return done.returncode == 0, done.stdout, complaint or ["it failed without a word"]


def helm_lint_faults(chart, values):
    fine, said, complaint = run(BIN / "helm", "lint", "--strict", chart, "--values", values)
    return [] if fine else [line for line in said.splitlines() if "[ERROR]" in line or "[WARNING]" in line] + complaint


def helm_template(chart, values):
    """The output of the chart, and the faults if there is none."""
    fine, rendered, complaint = run(BIN / "helm", "template", "mfa", chart, "--namespace", "app", "--values", values)
    return rendered, [] if fine else complaint


def kustomize(folder):
    """The output of the folder, and the faults if there is none."""
    fine, rendered, complaint = run(BIN / "kubectl", "kustomize", folder)
    return rendered, [] if fine else complaint


def compose_faults(path):
    fine, _, complaint = run(BIN / "docker-compose", "--file", path, "config", "--quiet")
    return [] if fine else complaint


def rules_faults(document):
    """The faults of Prometheus' rules, which have no other file; None without promtool."""
    if not PROMTOOL.exists():
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(documents.dump(document))
        file.flush()
        fine, said, complaint = run(PROMTOOL, "check", "rules", file.name)
    return [] if fine else complaint + said.splitlines()


def rules_test_faults(path):
    """The alerts of a file of unit tests that fire or stay silent where they should not; None without promtool."""
    if not PROMTOOL.exists():
        return None
    fine, said, complaint = run(PROMTOOL, "test", "rules", path)
    return [] if fine else complaint + said.splitlines()


def logql_faults(document):
    """The queries of Loki's rules that are no LogQL."""
    queries = [rule["expr"] for group in document["groups"] for rule in group["rules"]]
    fine, said, complaint = run("node", ROOT / "tools/logql/faults.mjs", given=json.dumps(queries))
    return json.loads(said) if fine else complaint


def check_faults(text):
    """The faults and warnings of `duo-mfa check` for a file with a plugin configuration and the configuration around it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _, said, complaint = run(CLI, "check", "--format", "json", file.name)
    if not said:
        return complaint
    # A proxy before Istio 1.27 knows nothing better than FAIL_CLOSE.
    allowed = {"fails_for_good"}
    # The demo needs it for the simulator's page; tools/shipped.py allows it nowhere else.
    if "browser_origin" in text:
        allowed.add("inline_secrets_allowed")
    found = []
    for configuration in json.loads(said)["configurations"]:
        if "error" in configuration:
            found.append(configuration["error"])
        for finding in configuration.get("findings", []):
            # Notes are about values that readers replace, and about TLS that may end elsewhere.
            if finding["level"] != "note" and finding["code"] not in allowed:
                found.append(f"{finding['level']} {finding['code']} at {finding['path']}: {finding['text']}")
    return found


def init(folder, *options):
    """Has `duo-mfa init` write its files into the folder; the faults if it does not."""
    values = ("--api-host", "api-1a2b3c4d.duosecurity.com", "--integration-key", "DIWJ8X6AEYOR5OMC6TQ1", "--host", "app.corp.test")
    fine, _, complaint = run(CLI, "init", *values, "--folder", folder, *options)
    return [] if fine else complaint
