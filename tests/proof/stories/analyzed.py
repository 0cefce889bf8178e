"""istioctl looks at output/ as a person or CI would: nothing to complain of."""

from __future__ import annotations

from pathlib import Path

from proof import programs
from proof.running import FailedError, run
from proof.world import World

_SAMPLE = Path(__file__).parents[3] / "output"
_FAULTY = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: faulty, namespace: shop}
spec: {hosts: [shop.example], gateways: [missing], http: [{route: [{destination: {host: nobody}}]}]}
"""


def tell(world: World) -> None:
    istioctl = programs.find(programs.ISTIOCTL, "istioctl")
    folders = [
        each
        for output in (world.mesh.folder / "output", _SAMPLE)
        for each in sorted(output.iterdir())
        if each.is_dir() and not each.name.startswith("_")
    ]
    for folder in folders:
        said = run(istioctl, "analyze", "--use-kube=false", "--all-namespaces", folder)
        if said.strip():  # that there is nothing goes to its error output
            raise FailedError(f"istioctl analyze {folder.name}: {said}")
        run(istioctl, "validate", "-f", folder)
    faulty = world.scratch / "faulty.yaml"
    faulty.write_text(_FAULTY)
    try:
        said = run(istioctl, "analyze", "--use-kube=false", "--all-namespaces", faulty)
    except FailedError as error:
        said = str(error)
    if not said.strip():
        raise FailedError("istioctl analyze finds nothing at all")
    world.saw(f"{len(folders)} clusters without a finding of istioctl; a fault made on purpose is found")
