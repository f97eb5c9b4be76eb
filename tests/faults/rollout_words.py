"""What a write of a Rollout's status says, in a few words that are the same in each life. For `tests.faults.operator`."""

from typing import Any, Final

Body = dict[str, Any]
FIGURES: Final = "figures"
"""The word for a write that only shows how pods do, until when people may answer, and which spec was looked at: whether it
comes by itself or with another depends on who is faster, so no table has it. The figures of a running Job are the same."""
_FIGURES: Final = frozenset({"ready", "replicas", "figuresAt", "conditions", "clock", "observedGeneration", "until"})
_OF_A_CHILD: Final = frozenset({"pods", "ready", "imageIDs"})


def of_status(status: Body) -> str:
    """The steps that its merge patch takes; else the phase, else what is new, figures aside."""
    words = [*_run(status), *_child("stable", status), *_child("canary", status)]
    if not words and status.get("phase"):
        words = [str(status["phase"])]
    return " ".join(words or sorted(status.keys() - _FIGURES - {"stable", "canary"}) or [FIGURES])


def _run(status: Body) -> list[str]:
    run = status.get("run") or {}
    words = ["ended"] if "lastRun" in status else []
    words += ["begun"] if "target" in run else []
    words += [str(run["stage"])] if run.get("stage") and "target" not in run else []
    return words + [_question(question) for question in (run.get("questions") or [])[-1:]]


def _question(question: Body) -> str:
    return "passed" if question.get("passed") else "seen" if question.get("uid") else "asks"


def _child(track: str, status: Body) -> list[str]:
    child = status.get(track) or {}
    changed = {key for key, value in child.items() if value is not None} - _OF_A_CHILD
    if changed & {"templateDigest", "replicas", "write"}:
        return [f"{track} wanted"]
    return [f"{track} answered"] if "generation" in changed else []
