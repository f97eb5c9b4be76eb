"""`make demo`: starts a control plane, installs Gatehold, tells the story, and leaves nothing behind.

`python -m demo --keep` is `make cluster`: the same stage without the story, kept until ^C.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from controlplane import Cluster, ControlPlane, ControlPlaneError
from demo import canary
from demo.objects import POLICY, job, request
from demo.story import NAMESPACE, Teller, is_done, is_prepared, phase_is
from playground import PEOPLE, OperatorProcess, bind_people, install, wait_enforced
from playground.operator_process import PATIENT


@contextmanager
def stage(console: Console) -> Iterator[Cluster]:
    """A control plane with Gatehold on it, the operator running and the wall proven."""
    with console.status("starting a control plane"):
        cluster = ControlPlane.start()
    with cluster:
        with console.status("installing Gatehold"):
            install(cluster)
            bind_people(cluster, NAMESPACE)
            for body in (POLICY, canary.POLICY, canary.GATE):
                cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        with console.status("starting the operator, and waiting until it has proven the wall"):
            OperatorProcess(cluster, **PATIENT).start()  # nobody starts it again, should a busy machine cost it the Lease
            wait_enforced(cluster)
        yield cluster


def approved(tell: Teller) -> None:
    """A pipeline asks, a forgery is refused, two people approve, the Job runs."""
    tell.chapter("4. A pipeline asks; two people approve")
    tell.say("Not only canaries are held. Any step of a pipeline can be.")
    tell.say("The pipeline creates a Job that is held, and asks for its release.")
    tell.run("ci", "create", "-f", "-", stdin=json.dumps(job("migrate", "./migrate --to 42")), show="create -f job.yaml")
    subject = json.loads(tell.cluster.kubectl("-n", NAMESPACE, "get", "job", "migrate", "-o", "json").stdout)
    question = request("migrate-42", subject, summary="Migrate the orders table to schema 42")
    tell.run("ci", "create", "-f", "-", stdin=json.dumps(question), show="create -f request.yaml")
    tell.until("the operator has read the Job and asked", "apr", "migrate-42", is_prepared)
    tell.run("ci", "get", "apr/migrate-42", "job/migrate")
    tell.say("The pipeline cannot let its own Job run, and mallory cannot forge an approval.")
    tell.run("ci", "patch", "job", "migrate", "--type=merge", '-p={"spec":{"suspend":false}}')
    tell.run("mallory", "annotate", "apr/migrate-42", "verdict.gatehold.dev/0=approve|sha256:0|sre|alice||looks good")
    tell.say("Two reviewers decide, with plain kubectl.")
    tell.run("alice", "annotate", "apr/migrate-42", "gatehold.dev/approve=error rate is flat, go")
    tell.run("bob", "annotate", "apr/migrate-42", "gatehold.dev/approve=backup is fresh")
    tell.until("the Job has run and the record is closed", "apr", "migrate-42", is_done)
    tell.run("alice", "get", "apr/migrate-42", "job/migrate")


def expired(tell: Teller) -> None:
    """Nobody answers; nothing ran."""
    tell.chapter("5. Nobody answers")
    subject = create(tell, job("cleanup", "./cleanup --all"))
    question = request("cleanup-1", subject, summary="Remove old carts", timeoutSeconds=5)
    tell.run("ci", "create", "-f", "-", stdin=json.dumps(question), show="create -f request.yaml    # timeoutSeconds: 5")
    tell.until("its time is over", "apr", "cleanup-1", phase_is("Expired"))
    tell.run("ci", "get", "apr/cleanup-1", "job/cleanup")


def denied(tell: Teller) -> None:
    """Denied while it runs: stopped, and undone."""
    tell.chapter("6. Denied while it runs")
    subject = create(tell, job("reprice", "./reprice --everything", fake="runs"))
    undo = create(tell, job("reprice-undo", "./reprice --restore"))
    question = request("reprice-7", subject, undo=undo, summary="New prices for everything")
    tell.run(
        "ci",
        "create",
        "-f",
        "-",
        stdin=json.dumps(question),
        show="create -f request.yaml    # names reprice-undo as its undo",
    )
    tell.until("the operator has asked", "apr", "reprice-7", is_prepared)
    tell.run("alice", "annotate", "apr/reprice-7", "gatehold.dev/approve=go")
    tell.run("bob", "annotate", "apr/reprice-7", "gatehold.dev/approve=go")
    tell.until("the Job runs", "job", "reprice", lambda body: body.get("status", {}).get("active") == 1)
    tell.run("alice", "annotate", "apr/reprice-7", "gatehold.dev/deny=prices in zone b are zero, stop")
    tell.until("it is stopped, its pods are gone, and the undo Job has run", "apr", "reprice-7", is_done)
    tell.gatehold("alice", "show", "reprice-7")
    tell.run(
        "alice",
        "get",
        "events",
        "--field-selector=involvedObject.name=reprice-7",
        "-o",
        "custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
    )


def create(tell: Teller, body: dict[str, object]) -> dict[str, object]:
    """Create an object as the pipeline, without a word."""
    done = tell.cluster.kubectl("-n", NAMESPACE, "create", "-o", "json", "-f", "-", user="ci", stdin=json.dumps(body))
    created: dict[str, object] = json.loads(done.stdout)
    return created


def keep(cluster: Cluster, console: Console) -> None:
    """Leave the stage standing for a person, until ^C."""
    console.print(Text("Gatehold runs. In another terminal, become one of the people:"))
    for name in ("admin", *PEOPLE):
        path = cluster.admin_kubeconfig if name == "admin" else cluster.user(name, *PEOPLE[name])
        console.print(Text(f"  export KUBECONFIG={path}   # {name}"), soft_wrap=True)
    console.print(Text(f'  export PATH={cluster.kubectl_program.parent}:"$PATH"'), soft_wrap=True)
    policies = "prod-change (held Jobs) and prod-web (Rollouts; its Gate is web)"
    console.print(Text(f"Their namespace is {NAMESPACE}, the policies are {policies}. ^C stops everything."))
    signal.pause()


def main() -> int:
    """Run the demo, or keep its stage."""
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with stage(console) as cluster:
            if "--keep" in sys.argv:
                keep(cluster, console)
            tell = Teller(cluster, console)
            for chapter in (canary.promoted, canary.left_alone, canary.crashing, approved, expired, denied):
                chapter(tell)
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130
    except ControlPlaneError as error:
        console.print(Text(f"error: {error}", style="red"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
