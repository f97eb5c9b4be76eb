"""The shell of the gate of Argo Rollouts: it asks about each pause at which one of them stands behind such a Gate.

`controller` is the cycle; `gather` reads, for it and for the hands of the requests, which carry out what was decided
(gatehold.controllers.effects.promote_argo); `question` asks people, `tell` says why a Rollout waits.
"""
