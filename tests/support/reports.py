"""Makes reports of small meshes, and one in which every name is hostile."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from meshc import codes
from meshc.commands.opened import Opened
from meshc.commands.report import Report, report
from meshc.errors import Place
from support.paths import ROOT

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SAMPLE = ("mesh.yaml", "apps", "certificates", "sealed", "patches", "extra", "overlays", "output")
HOSTILE = '</script><script>hacked=1</script><img src=x onerror="hacked=2">\u202e{{7*7}}'
"""This text ends a script, starts another, makes an element, reverses the direction of text, and is a template's
expression."""
AS_SHOWN = HOSTILE.replace("\u202e", "\\u202e")


def sample(folder: Path, edit: tuple[str, str] | None = None) -> Report:
    """The report of the sample mesh: it is committed, changed by `edit` if given, and compared with the commit."""
    for name in SAMPLE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for words in ("init -q", "add -A", "-c user.name=a -c user.email=a@b.example commit -qm a"):
        subprocess.run(["git", *words.split()], cwd=folder, check=True)
    file = folder / "mesh.yaml"
    if edit:
        text = file.read_text()
        assert edit[0] in text
        file.write_text(text.replace(*edit))
    return report(Opened(file), "HEAD" if edit else None, None, 1, NOW)


def hostile(found: Report) -> Report:
    """The same report with hostile names, which the model would normally refuse."""
    names = {cluster.name: f"{HOSTILE}{number}" for number, cluster in enumerate(found.compiled.plan.clusters)}
    clusters = tuple(
        replace(one, name=names[one.name], id=HOSTILE, network=HOSTILE, labels={HOSTILE: HOSTILE})
        for one in found.compiled.plan.clusters
    )
    plan = replace(found.compiled.plan, mesh=HOSTILE, trust_domain=HOSTILE, clusters=clusters)
    exports = tuple(
        replace(
            one,
            name=f"{HOSTILE}{number}",
            namespace=HOSTILE,
            homes=tuple(names[name] for name in one.homes),
            clients=tuple(names[name] for name in one.clients),
        )
        for number, one in enumerate(found.compiled.exports)
    )
    problem = codes.CLUSTER_LEAVES.at(Place(HOSTILE, 1, 1), HOSTILE, HOSTILE, clusters=[HOSTILE])
    compiled = replace(found.compiled, plan=plan, exports=exports, problems=(problem,))
    steps = tuple(replace(one, cluster=names[one.cluster], what=HOSTILE, command=HOSTILE) for one in found.next.steps)
    routes = replace(
        found.routes,
        found=tuple(
            replace(
                one,
                resolves=HOSTILE,
                remarks=(HOSTILE,),
                control_planes=tuple(names[name] for name in one.control_planes),
                ends=tuple(replace(end, cluster=names[end.cluster], gateways=(HOSTILE,)) for end in one.ends),
            )
            for one in found.routes.found
        ),
        losses={(number, names[name]): after for (number, name), after in found.routes.losses.items()},
    )
    sealed = tuple(
        (replace(one, file=HOSTILE, cluster=HOSTILE, opened_by=(HOSTILE,)), HOSTILE) for one, _ in found.sealed
    )
    authorities = tuple(replace(one, row=replace(one.row, name=HOSTILE, notes=(HOSTILE,))) for one in found.authorities)
    return replace(
        found,
        compiled=compiled,
        next=replace(found.next, steps=steps),
        routes=routes,
        sealed=sealed,
        authorities=authorities,
    )
