"""`gatehold drain`: asks for the drain of nodes as they stand now, under the policy of their Gates; follows it if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatehold.api.common import API_VERSION, shortened
from gatehold.cli.asking import create_stamped, slug
from gatehold.cli.drain.place import Node, Place, find_nodes, find_place
from gatehold.cli.drain.sight import some
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import leave_for
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.kube import errors

Json = dict[str, Any]
_SUMMARY = 256
_DESCRIPTION = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says; None leaves a thing to the operator, or to the pods."""

    nodes: tuple[str, ...] = ()
    selector: str = ""
    reason: str = ""
    policy: str = ""
    timeout: int | None = None
    grace_period: int | None = None
    parallel_nodes: int | None = None
    parallel_pods: int | None = None
    delete_emptydir_data: bool = False
    force: bool = False
    follow: bool = False
    dry_run: bool = False
    form: str | None = None


async def drain(session: Session, wish: Wish) -> None:
    """Open the request and print its name; with --follow it ends by Leave unless the nodes are drained."""
    if not wish.reason.strip():
        raise Leave(Exit.USAGE, "say why, reviewers read it: --reason TEXT", 'gatehold drain NODE --reason "kernel update"')
    if wish.follow and wish.dry_run:
        raise Leave(Exit.USAGE, "--follow and --dry-run exclude each other: nothing would be there to follow")
    nodes = await find_nodes(session, wish.nodes, wish.selector)
    place = await find_place(session, nodes, wish.policy)
    session.namespace = place.namespace
    answer = await _open(session, request_of(wish, nodes, place), wish)
    _report(session, answer, nodes, wish)
    if wish.follow:
        from gatehold.cli.drain.follow import Aim, follow

        meta = answer["metadata"]
        await follow(session, Aim(meta["name"], meta["uid"], form=wish.form))


def request_of(wish: Wish, nodes: list[Node], place: Place) -> Json:
    """The request for the wire. Nodes are named with their uids: what was seen is what is asked about."""
    names = [node.name for node in nodes]
    line = f"drain {some(names)}: {' '.join(wish.reason.split())}"
    spec: Json = {
        "policyRef": {"name": place.policy},
        "summary": shortened(line, _SUMMARY),
        "effect": {"type": "Drain", "drain": _effect(wish, nodes)},
    }
    if len(line) > _SUMMARY or "\n" in wish.reason:
        spec["description"] = shortened(wish.reason, _DESCRIPTION)
    metadata = {"generateName": f"{slug(names[0])}-", "namespace": place.namespace}
    return {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def _effect(wish: Wish, nodes: list[Node]) -> Json:
    given: Json = {
        "nodes": [{"name": node.name, "uid": node.uid} for node in nodes],
        "parallelNodes": wish.parallel_nodes,
        "parallelPods": wish.parallel_pods,
        "gracePeriodSeconds": wish.grace_period,
        "timeoutSeconds": wish.timeout,
        "deleteEmptyDirData": wish.delete_emptydir_data or None,
        "evictUnmanagedPods": wish.force or None,
    }
    return {key: value for key, value in given.items() if value is not None}


async def _open(session: Session, body: Json, wish: Wish) -> Json:
    try:
        return await create_stamped(session, body, dry_run=wish.dry_run)
    except errors.Absent as error:
        if "namespaces" not in error.message:
            raise
        text = f"there is no namespace {plain(session.namespace)}, in which this drain is to be asked"
        raise Leave(Exit.ABSENT, text, "kubectl get gates -o yaml; gatehold drain ... -n NAMESPACE") from error
    except errors.ApiError as error:
        raise leave_for(error, f"-n {plain(session.namespace)}") from error


def _report(session: Session, answer: Json, nodes: list[Node], wish: Wish) -> None:
    """The name for whoever reads it, and beside it the place, which the caller did not have to know."""
    name, namespace = plain(answer["metadata"].get("name")), plain(session.namespace)
    if wish.follow:
        pass  # the object, or how it ended, comes at the end
    elif wish.form is not None:
        dump_object(answer, wish.form)
    else:
        out().print(name, soft_wrap=True)
    many = f"{len(nodes)} nodes" if len(nodes) != 1 else f"node {plain(nodes[0].name)}"
    policy = plain((answer["spec"].get("policyRef") or {}).get("name"))
    if wish.dry_run:
        err().print("[dim]dry run on the server: nothing was created[/dim]")
        return
    err().print(f"[dim]asked about {many}: request {name} in namespace {namespace}, under policy {policy}[/dim]")
    if not wish.follow:
        err().print(f"[dim]next:[/dim] gatehold wait {name} -n {namespace}")
