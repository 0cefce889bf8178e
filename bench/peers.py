"""Makes the same objects with other tools for such repositories: Kapitan and cdk8s.

Both get the same input as the chart of rivals.py: for each cluster its services, over which a template or a program
loops, and its few other objects unchanged. MESHC_KAPITAN names the program (pip install kapitan), MESHC_CDK8S a folder
in which `npm install cdk8s constructs` ran. A tool that isn't installed is left out.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from measuring import Run, measure, program

KAPITAN = program("kapitan", "MESHC_KAPITAN")
NODE, CDK8S = shutil.which("node"), os.environ.get("MESHC_CDK8S")
_TEMPLATE = """\
{% for one in inventory.parameters.services %}
---
apiVersion: v1
kind: Service
metadata:
  labels: {app.kubernetes.io/managed-by: meshc}
  name: {{ one.name }}
  namespace: {{ one.namespace }}
spec:
  type: {{ one.type }}
  ports:
{% for port in one.ports %}
  - name: {{ port.name }}
    port: {{ port.port }}
    protocol: {{ port.protocol }}
{% if "appProtocol" in port %}
    appProtocol: {{ port.appProtocol }}
{% endif %}
{% endfor %}
{% endfor %}
{% for one in inventory.parameters.objects %}
---
{{ one | yaml }}
{% endfor %}
"""
_PROGRAM = """\
const fs = require('fs');
const { App, ApiObject, Chart } = require('cdk8s');
const app = new App({ outdir: 'cdk8s' });
for (const file of fs.readdirSync('.').filter(name => name.endsWith('.values.json'))) {
  const { services, objects } = JSON.parse(fs.readFileSync(file));
  const chart = new Chart(app, file.replace('.values.json', ''), { disableResourceNameHashes: true });
  services.forEach(({ name, namespace, labels, type, ports }, number) => new ApiObject(chart, `s${number}`, {
    apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec: { type, ports },
  }));
  objects.forEach((body, number) => new ApiObject(chart, `o${number}`, body));
}
app.synth();
"""


def prepare_kapitan(rivals: Path) -> None:
    """Writes an inventory with a target for each cluster. Equal lists of services are one class."""
    for name in ("templates", "inventory/classes", "inventory/targets"):
        (rivals / "kapitan" / name).mkdir(parents=True)
    (rivals / "kapitan/templates/all.yaml").write_text(_TEMPLATE)
    classes: dict[str, str] = {}
    made = [{"output_path": ".", "input_type": "jinja2", "input_paths": ["templates/all.yaml"]}]
    for file in sorted(rivals.glob("*.values.json")):
        values = json.loads(file.read_text())
        shared = json.dumps({"parameters": {"services": values["services"]}})
        if shared not in classes:
            classes[shared] = f"services-{len(classes)}"
            _dump(rivals / f"kapitan/inventory/classes/{classes[shared]}.yml", json.loads(shared))
        name = file.name.removesuffix(".values.json")
        parameters = {"objects": values["objects"], "kapitan": {"vars": {"target": name}, "compile": made}}
        target = {"classes": [classes[shared]], "parameters": parameters}
        _dump(rivals / f"kapitan/inventory/targets/{name}.yml", target)


def _dump(path: Path, data: object) -> None:
    path.write_text(yaml.dump(data, Dumper=yaml.CSafeDumper))


def runs(rivals: Path) -> dict[str, Callable[[], Run]]:
    """The runs that can be timed, by name. Each makes the objects of all clusters, with any number of processes."""
    found: dict[str, Callable[[], Run]] = {}
    if KAPITAN:
        argv = (KAPITAN, "compile", "--parallelism", str(os.cpu_count()))
        found["Kapitan, a template with a loop"] = lambda: measure(*argv, cwd=rivals / "kapitan")
    if NODE and CDK8S:
        (rivals / "program.js").write_text(_PROGRAM)
        modules = {"NODE_PATH": str(Path(CDK8S).resolve() / "node_modules")}
        found["cdk8s, a program with a loop"] = lambda: measure(str(NODE), "program.js", cwd=rivals, variables=modules)
    return found


def made_by(rivals: Path, cluster: str) -> dict[str, str]:
    """The objects of a cluster as text, from each tool that ran."""
    places = {"Kapitan": f"kapitan/compiled/{cluster}/all.yaml", "cdk8s": f"cdk8s/{cluster}.k8s.yaml"}
    return {name: (rivals / path).read_text() for name, path in places.items() if (rivals / path).exists()}
