"""Priority classes: a pod whose template names none gets the cluster's default class, and is still as its template says."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gatehold.domain.provision.model import PodSeen, Sight


def as_templates_say(sight: Sight) -> Sight:
    """The same with the class left out of each pod's digest where its template leaves it out.

    A class that a template names counts: whoever changes it changes what was approved, and people are asked. Which class
    is the cluster's default is not read, so where the template names none any class is taken for it. Of pods of another
    template, or of one that is not known, a Job or an earlier question tells.
    """
    told = {sight.owner.digest, *(job.digest for job in sight.jobs), *(question.digest for question in sight.asked)}
    nothing_named = sight.owner.known and not sight.owner.names_class
    pods, strays = (tuple(_meant(seen, told, nothing_named)) for seen in (sight.pods, sight.strays))
    return replace(sight, pods=pods, strays=strays)


def _meant(pods: Iterable[PodSeen], told: set[str], nothing_named: bool) -> Iterator[PodSeen]:
    for pod in pods:
        left_out = nothing_named or (pod.classless in told and pod.digest not in told)
        yield replace(pod, digest=pod.classless) if pod.classless and left_out else pod
