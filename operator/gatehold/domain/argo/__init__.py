"""The gate of Argo Rollouts: what is read of one, when people are asked, what its stable revision serving means. Pure."""
