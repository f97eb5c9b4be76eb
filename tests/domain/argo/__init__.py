"""The gate of Argo Rollouts."""
