"""proof runs what meshc compiles: real API servers, istiod, Envoy and Flux, in network namespaces of one machine."""
