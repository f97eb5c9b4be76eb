"""Rollouts as their users have them: on the real control plane, with the real operator, pods played by kwok."""
