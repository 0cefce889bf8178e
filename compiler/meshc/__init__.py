"""meshc turns one mesh.yaml into per-cluster kustomize overlays and the same overlays rendered."""
