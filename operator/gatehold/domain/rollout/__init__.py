"""The gated Rollout's core: what is seen, what is remembered, what is done next. Pure, like all of gatehold.domain."""
