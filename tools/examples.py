#!/usr/bin/env python3
"""examples: checks every YAML file that is shipped, offline, then that each check catches a fault planted for it.

CRDS=FOLDER (environment) has the CustomResourceDefinitions of Istio, Envoy Gateway and the Gateway API, as YAML or JSON; without
it resources of those are checked in all but their own fields, which the output calls "skipped". `make examples` runs this.
"""

import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checks import closed, cluster, documents, envoy, planted, products, schema, tools  # noqa: E402
from checks.envoy import ROOT  # noqa: E402

SKIPPED = None


# Where the filter runs, and the first factors that `duo-mfa init` has files for.
MADE = {
    "envoy": ("basic", "jwt", "oauth2-proxy", "mtls"),
    "kubernetes": ("basic", "jwt", "oauth2-proxy"),
    "istio": ("jwt",),
    "envoy-gateway": ("jwt",),
}


class Examples:
    """Collects (file, check, work); each work gives a list of faults, or SKIPPED."""

    def __init__(self, stand_ins, crds):
        self.stand_ins, self.crds, self.jobs = stand_ins, crds, []

    def job(self, name, check, work, *arguments):
        self.jobs.append((name, check, work, arguments))

    def envoy(self, name, text):
        for document in documents.documents(text):
            self.job(name, "closed", closed.faults, document)
            self.job(name, "schema", schema.envoy_faults, document)
        self.job(name, "envoy", envoy.faults, self.stand_ins, text)

    def check(self, name, text):
        self.job(name, "check", tools.check_faults, text)

    def resource(self, name, document, text=None):
        """`text` is the file of the document, if others in it belong to it."""
        name = f"{name}: {documents.kind(document)}"
        found = cluster.core_faults(document)
        if found is None:
            self.job(name, "crd", self.crds.faults, document)
        else:
            self.job(name, "core", lambda: found)
        self.job(name, "closed", closed.faults, document)
        is_configured = document["kind"] == "ConfigMap" and "dynamic_module_config" in str(document)
        carries = products.plugin(document) or "host_env_keys" in str(document) or is_configured
        if carries:
            self.check(name, text or documents.dump(document))
        if products.plugin(document):
            self.job(name, "schema", schema.resource_faults, document)
            self.envoy(name, documents.dump(products.with_plugin(document)))
        elif document["kind"] == "EnvoyProxy":
            self.envoy(name, documents.dump(products.with_bootstrap(document)))
        elif document["kind"] == "PrometheusRule":
            self.job(name, "promtool", tools.rules_faults, document["spec"])
        elif document["kind"] == "EnvoyFilter":
            self.envoy(name, documents.dump(products.patched(document)))
        elif document["kind"] == "Secret":
            self.job(name, "refused", self.refused, document["stringData"])
        elif document["kind"] == "ConfigMap":
            for key, text in document["data"].items():
                self.config(f"{name} {key}", text)

    def config(self, name, text):
        for document in documents.documents(text):
            if "static_resources" in document:
                self.envoy(name, text)
            elif isinstance(document, list) or "descriptors" in document:
                self.job(name, "limits", cluster.limits_faults, document)
            else:
                # Istio lays this over a waypoint's Deployment.
                for container in document["spec"]["template"]["spec"]["containers"]:
                    self.job(name, "core", cluster.variables_faults, container["env"])

    def refused(self, secrets):
        """An example of a Secret, used unchanged, must not start the filter."""
        text = (ROOT / "envoy/production.yaml").read_text(encoding="utf-8")
        said = envoy.faults(self.stand_ins, text, secrets)
        return [] if any("invalid_cookie_key" in line for line in said) else ["the filter takes the placeholder for a key"]

    def chart(self, chart):
        name = chart.relative_to(ROOT)
        for values in sorted((chart / "ci").glob("*-values.yaml")):
            self.job(f"{name}/ci/{values.name}", "lint", tools.helm_lint_faults, chart, values)
            rendered, complaint = tools.helm_template(chart, values)
            self.job(f"{name}/ci/{values.name}", "helm", lambda complaint=complaint: complaint)
            for document in documents.documents(rendered):
                self.resource(f"{name}/ci/{values.name}", document, rendered)
        for values in sorted((chart / "ci/refused").glob("*-values.yaml")):
            refused = bool(tools.helm_template(chart, values)[1])
            self.job(f"{name}/ci/refused/{values.name}", "refused", lambda ok=refused: [] if ok else ["the chart takes it"])

    def kustomization(self, folder):
        name = f"{folder.relative_to(ROOT)}/"
        self.kustomized(name, folder)
        if any(documents.UNIVERSAL in path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")):
            with planted.copied(folder) as copy:
                for path in copy.glob("*.yaml"):
                    path.write_text(documents.with_universal(path.read_text(encoding="utf-8")), encoding="utf-8")
                self.kustomized(f"{name} (universal)", copy)

    def kustomized(self, name, folder):
        rendered, complaint = tools.kustomize(folder)
        self.job(name, "kustomize", lambda: complaint)
        for document in documents.documents(rendered):
            self.resource(name, document)

    def native_kustomization(self):
        """The overlay of the native module, after the command that it wants."""
        with planted.copied("envoy/kubernetes") as copy:
            base = copy / "base/envoy.yaml"
            base.write_text(documents.natively(base.read_text(encoding="utf-8")), encoding="utf-8")
            self.kustomized("envoy/kubernetes/overlays/native/ (native)", copy / "overlays/native")

    def file(self, path):
        """A file that needs no other."""
        name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        self.text(name, path, text)
        if documents.UNIVERSAL in text:
            self.text(f"{name} (universal)", path, documents.with_universal(text))
        native = documents.natively(text)
        if native:
            self.text(f"{name} (native)", path, native)

    def text(self, name, path, text):
        try:
            found = documents.documents(text)
        except documents.yaml.YAMLError as error:
            self.job(name, "yaml", lambda error=error: [str(error)])
            return
        for document in found:
            if "static_resources" in document:
                self.envoy(name, text)
                # An Envoy behind the filter has none.
                if "host_env_keys" in text or "dynamic_module_config" in text:
                    self.check(name, text)
            elif "services" in document:
                self.job(name, "compose", tools.compose_faults, path)
            elif "envVarFrom" in document:
                self.job(name, "core", cluster.variables_faults, document["envVarFrom"])
            elif "meshConfig" in document:
                self.job(name, "mesh", cluster.mesh_faults, document["meshConfig"])
            elif "apiVersion" in document:
                self.resource(name, document, text)
            elif "groups" in document and path.name == "loki.yaml":
                self.job(name, "logql", tools.logql_faults, document)
            elif "groups" in document:
                self.job(name, "promtool", tools.rules_faults, document)
            elif "rule_files" in document:
                self.job(name, "promtool", tools.rules_test_faults, path)
            else:
                self.job(name, "known", lambda: ["no check of tools/examples.py knows such a file"])

    def made(self, folder):
        """The files that `duo-mfa init` writes."""
        universal = ("--prompt", "universal", "--client-id", "DIWEBSDKWEBSDKWEBSDK")
        for target, factors in MADE.items():
            for factor in factors:
                issuer = ("--issuer", "https://login.corp.test/realms/staff") if factor == "jwt" else ()
                for prompt in ((), universal):
                    name = f"duo-mfa init --for {target} --first-factor {factor}{' (universal)' if prompt else ''}"
                    own = folder / name.replace(" ", "_")
                    complaint = tools.init(own, "--for", target, "--first-factor", factor, *issuer, *prompt)
                    self.job(name, "init", lambda complaint=complaint: complaint)
                    if target == "kubernetes":
                        self.kustomized(name, own)
                    else:
                        for path in sorted(own.glob("*.yaml")):
                            self.text(f"{name}: {path.name}", path, path.read_text(encoding="utf-8"))

    def page(self, path):
        """The resources in a page's fences; fragments of an Envoy configuration are the tests' matter."""
        name = str(path.relative_to(ROOT))
        for fence in re.findall(r"^```yaml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for document in documents.documents(fence):
                if isinstance(document, dict) and "apiVersion" in document:
                    self.resource(name, document)

    def all(self):
        files = sorted(path for folder in ("envoy", "examples") for path in (ROOT / folder).rglob("*.y*ml"))
        charts = {path.parent for path in files if path.name == "Chart.yaml"}
        kustomizations = {path.parent for path in files if path.name == "kustomization.yaml"}
        for chart in sorted(charts):
            self.chart(chart)
        for folder in sorted(kustomizations):
            self.kustomization(folder)
        self.native_kustomization()
        # The files of a kustomization may be patches; what is made of them is checked instead.
        for path in files:
            if path.parent not in kustomizations and not charts.intersection(path.parents):
                self.file(path)
        for path in sorted((ROOT / "docs/deploy").glob("*.md")):
            self.page(path)


def outcome(work, arguments):
    found = work(*arguments)
    return ("skipped", []) if found is SKIPPED else ("FAILED" if found else "ok", found)


def tell(rows):
    """Prints the table, a line for each check of a file; faults name the resource."""
    counts, lines = {"ok": 0, "FAILED": 0, "skipped": 0}, {}
    for name, check, (result, found) in rows:
        counts[result] += 1
        file, _, resource = name.partition(": ")
        number, results, faults = lines.setdefault((file, check), (set(), set(), []))
        number.add(resource)
        results.add(result)
        faults += [f"{resource or file}: {fault}" for fault in found]
    width = max(len(file) for file, _ in lines)
    for (file, check), (number, results, faults) in lines.items():
        worst = next(result for result in ("FAILED", "skipped", "ok") if result in results)
        print(f"{file:{width}}  {check:9}  {worst}{f' ({len(number)})' if len(number) > 1 else ''}")
        for fault in faults:
            print(f"    {fault}")
    return counts


def caught(word, work):
    """The opposite of a check: no fault found is the fault."""
    found = work()
    fine = found and word in "\n".join(found)
    return ("ok", []) if fine else ("FAILED", [f"not caught: {found}"])


def main():
    folder = os.environ.get("CRDS")
    if not (envoy.MODULE.is_file() and envoy.NATIVE.is_file() and envoy.ENVOY.exists()):
        raise SystemExit("examples: no module, no native module or no Envoy; run `make examples`")
    crds = cluster.Crds(pathlib.Path(folder)) if folder else cluster.Crds()
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        examples = Examples(envoy.StandIns(temporary), crds)
        examples.all()
        examples.made(pathlib.Path(temporary) / "made")
        done = pool.map(lambda job: (job[0], job[1], outcome(job[2], job[3])), examples.jobs)
        trials = list(planted.trials(examples.stand_ins, crds))
        proved = pool.map(lambda trial: (trial[0], "planted", caught(trial[1], trial[2])), trials)
        print("In the place of a file that a configuration names:", ", ".join(sorted(examples.stand_ins.files)))
        counts = tell(list(done))
        print()
        proofs = tell(list(proved))
    files = len({name.partition(": ")[0] for name, *_ in examples.jobs})
    print(f"\n{files} files: {counts['ok']} checks ok, {counts['FAILED']} failed, {counts['skipped']} skipped", end="")
    print(f"{' (no CRDS=)' if counts['skipped'] and not folder else ''}; {proofs['ok']} of {len(trials)} planted faults caught")
    return 1 if counts["FAILED"] or proofs["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
