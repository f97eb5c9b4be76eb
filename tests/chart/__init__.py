"""The Helm chart: what it renders, what it refuses, and how that stands on a cluster."""
