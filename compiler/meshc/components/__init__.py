"""Makes the Kubernetes objects of a cluster from its `Plan`, or describes the Secrets that it needs."""
