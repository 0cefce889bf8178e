"""The injection template of classic Istio, judged by the pods it makes. Go itself renders it, as the injector does."""

from __future__ import annotations

import pytest
import yaml

from support.cases import expected_trees, find_case
from support.injected_pods import PODS, TPROXY, TRAFFIC, changed, config_maps, render

pytestmark = pytest.mark.thorough


def remote(case: str, cluster: str = "edge-1") -> bytes:
    """What is compiled for a remote of this case."""
    return expected_trees(find_case(case))[f"output/{cluster}/istio-remote.yaml"]


PLAIN = remote("classic-automatic-injection")
TRACED = remote("classic-plain")
OLD = remote("classic-1.0.1-in-another-namespace")
SECURE = remote("classic-control-plane-tls")


def test_pods_get_the_sidecar_that_the_chart_makes() -> None:
    made = render(PLAIN, [pod for pod, _ in PODS.values()])

    assert made == [expected for _, expected in PODS.values()]


def test_settings_of_the_mesh_reach_the_sidecar() -> None:
    made = render(PLAIN, [{}], {"concurrency": 2, "interceptionMode": "TPROXY"})
    expected = changed(m="TPROXY", mode="TPROXY", securityContext=TPROXY)
    expected["containers"][0]["args"][-2:-2] = ["--concurrency", "2"]

    assert made == [expected]


def test_control_plane_tls_and_the_name_of_pilot() -> None:
    (made,) = render(SECURE, [{}])
    flags = made["containers"][0]["args"]

    assert flags[flags.index("--controlPlaneAuthPolicy") + 1] == "MUTUAL_TLS"
    assert flags[flags.index("--discoveryAddress") + 1] == "istio-pilot.istio-system:15005"


def test_traces_go_where_mesh_yaml_says() -> None:
    (made,) = render(TRACED, [{}])
    flags = made["containers"][0]["args"]

    assert flags[flags.index("--zipkinAddress") + 1].endswith(":9411")


def test_istio_before_1_0_2_knows_no_concurrency() -> None:
    (made,) = render(OLD, [{}], {"concurrency": 2})

    assert "--concurrency" not in made["containers"][0]["args"]
    assert "Concurrency" not in config_maps(OLD)[0]["template"]


def test_no_annotation_breaks_out_of_its_field() -> None:
    nasty = [
        '"',
        "'",
        "\\",
        "a: b",
        '"\n- --privileged',
        "[[ .Spec ]]",
        "{{ x }}",
        "\t\u0007\u00e9\u202e\U0001f600",
        "#",
        "",
    ]
    made = render(PLAIN, [{"annotations": {f"{TRAFFIC}/excludeInboundPorts": text}} for text in nasty])

    assert made == [changed(d=text) for text in nasty]


def test_manual_injection_takes_six_objects_away() -> None:
    automatic, manual = (
        {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(data)}
        for data in (PLAIN, remote("classic-automatic-injection", "edge-3"))
    )

    assert automatic.keys() - manual.keys() == {
        ("ServiceAccount", "istio-sidecar-injector-service-account"),
        ("ClusterRole", "istio-sidecar-injector-istio-system"),
        ("ClusterRoleBinding", "istio-sidecar-injector-admin-role-binding-istio-system"),
        ("Service", "istio-sidecar-injector"),
        ("Deployment", "istio-sidecar-injector"),
        ("MutatingWebhookConfiguration", "istio-sidecar-injector"),
    }
    assert manual == {key: automatic[key] for key in manual}
