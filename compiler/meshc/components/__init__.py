"""components turns the `Plan` of a cluster into Kubernetes objects, or into the need of a Secret."""
