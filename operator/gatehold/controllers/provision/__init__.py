"""The shell of the gate of pods: gather a Sight of one owner, let `gatehold.domain.provision` decide, apply its plan.

`controller` is the cycle; `gather` reads (with `owners` for the chain of controllers, and `asked` for the requests), `hands`
writes, `question` asks people, `tell` says what happened.
"""
