"""meshc turns one mesh.yaml into per-cluster kustomize overlays and the same overlays rendered."""

__version__ = "0.1.0"
