"""review turns two trees of output/ into what changed, cluster by cluster, and what that puts at risk."""
