"""The gate of Argo Rollouts with a controller that the test plays: every state at the moment when it is wanted."""
