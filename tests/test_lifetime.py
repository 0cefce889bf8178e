"""How long proxies may go on with old roots, as the values decide that Istio is installed with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plan.lifetime import Lifetime, duration, lifetime_of

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: small}}
spec:
  istio: {{version: {version}, values: {values}}}
  security: {{ca: {{type: plugged-in{ca}}}}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "{kubernetes}"
      controlPlane: {{addresses: {{{address}: 10.0.5.20}}}}
      podCIDRs: [10.10.0.0/16]
    - {{name: edge-1, role: remote, kubernetesVersion: "{kubernetes}", podCIDRs: [10.11.0.0/16]}}
  namespaces: [{{name: shop, dataplane: {dataplane}}}]
"""
FAST = ", fastRootRotation: true"
ASKS = "meshConfig: {defaultConfig: {proxyMetadata: {PROXY_CONFIG_XDS_AGENT: 'true'}}}"
SENT = f"{{pilot: {{env: {{ISTIO_MULTIROOT_MESH: 'true'}}}}, {ASKS}}}"


def lifetime(values: str = "{}", ca: str = "", dataplane: str = "sidecar", *, classic: bool = False) -> Lifetime:
    version, kubernetes, address = ("1.0.6", "1.13", "pilot") if classic else ("1.29.6", "1.34", "istiod")
    text = MESH.format(
        version=version, kubernetes=kubernetes, address=address, values=values, ca=ca, dataplane=dataplane
    )
    return lifetime_of(plan_mesh(load(text.encode(), "mesh.yaml")))


def ttl(value: str) -> str:
    return f"{{meshConfig: {{defaultConfig: {{proxyMetadata: {{SECRET_TTL: {value}}}}}}}}}"


@pytest.mark.parametrize(
    ("values", "hours"),
    [
        ("{}", 24.0),
        (ttl("1h30m"), 1.5),
        (ttl("2160h"), 2160.0),
        (ttl("soon"), 24.0),
        (ttl("0s"), 24.0),
        (ttl("3600"), 24.0),
        (ttl("[1h]"), 24.0),
        ("{pilot: {env: {DEFAULT_WORKLOAD_CERT_TTL: 48h}}}", 48.0),
        ("{pilot: {env: {DEFAULT_WORKLOAD_CERT_TTL: 1h}}}", 24.0),
        ("{pilot: {env: []}, meshConfig: text}", 24.0),
    ],
)
def test_a_certificate_lasts_as_long_as_proxies_ask_for(values: str, hours: float) -> None:
    assert lifetime(values).longest == timedelta(hours=hours)


def test_citadel_signs_for_90_days() -> None:
    assert lifetime(classic=True) == Lifetime(timedelta(days=90), sent=False, ambient=False)


@pytest.mark.parametrize(
    ("values", "ca", "sent"),
    [
        ("{}", "", False),
        ("{}", FAST, True),
        (SENT, "", True),
        ("{pilot: {env: {ISTIO_MULTIROOT_MESH: 'true'}}}", "", False),
        ("{pilot: {env: {ISTIO_MULTIROOT_MESH: 'false'}}}", FAST, False),
    ],
)
def test_roots_are_sent_where_istiod_and_proxies_are_told_to(values: str, ca: str, sent: bool) -> None:
    assert lifetime(values, ca).sent is sent


def test_ztunnel_is_sent_no_roots() -> None:
    found = lifetime("{}", FAST, "ambient")

    assert (found.sent, found.ambient) == (False, True)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_durations_are_read_as_go_writes_them(hours: int, minutes: int, seconds: int) -> None:
    assert duration(f"{hours}h{minutes}m{seconds}s") == timedelta(hours=hours, minutes=minutes, seconds=seconds)


@given(st.text(alphabet="0123456789.hmsun ", max_size=80))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    found = duration(text)

    assert found is None or timedelta() <= found <= timedelta(days=3650)
