"""Networks and their gateways."""

from __future__ import annotations

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from meshc.mesh.model.selection import Shape
from meshc.mesh.model.words import Name, NetworkLabel, PodLabels, Subdomain


class NetworkGateway(Shape):
    """How other networks reach this one."""

    address: str | None = None
    """The gateway's IP address. The gateway's Service must request it: through a chart that meshc renders, the values
    that `meshc values` prints, or your own configuration."""
    hostname: Subdomain | None = None
    """The gateway's host name, instead of an address."""
    port: int = Field(default=15443, ge=1, le=65535)
    """The gateway's port, for mutual TLS between sidecars."""
    cluster: Name | None = None
    """The cluster in which it runs, if several clusters of the network have their own gateways."""
    selector: PodLabels | None = None
    """Labels of the gateway's pods; default: `istio: eastwestgateway`."""

    @model_validator(mode="after")
    def _one_host(self) -> NetworkGateway:
        if (self.address is None) == (self.hostname is None):
            raise PydanticCustomError("bad_gateway", "needs either address or hostname")
        if self.port in (15012, 15017, 15021):
            raise PydanticCustomError("bad_gateway", "needs a port besides those of istiod and of the health check")
        return self


class Network(Shape):
    """A network, in which pods reach one another directly."""

    name: Name
    """The network's name."""
    label: NetworkLabel | None = None
    """The network's label in Istio (topology.istio.io/network, ISTIO_META_NETWORK), if it isn't its name."""
    gateway: NetworkGateway | None = None
    """Its east-west gateway; needed if there are several networks, unless all namespaces are ambient."""
    gateways: tuple[NetworkGateway, ...] = ()
    """Its gateways, instead of `gateway`, if it has several. Other networks use all of them."""

    @model_validator(mode="after")
    def _one_form(self) -> Network:
        if self.gateway is not None and self.gateways:
            raise PydanticCustomError("bad_gateway", "takes gateway or gateways, not both")
        return self
