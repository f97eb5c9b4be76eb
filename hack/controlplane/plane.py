"""A whole control plane on loopback: started in a few seconds, gone without a trace."""

from collections.abc import Collection, Sequence
from types import MappingProxyType
from typing import Final, Self

from controlplane import build
from controlplane.certificates import Authority, Pair
from controlplane.children import Children
from controlplane.cluster import ADMIN, Cluster
from controlplane.components import (
    API_ONLY,
    EVERYTHING,
    Component,
    Installation,
    Ports,
    command,
    write_certificates,
)
from controlplane.errors import ComponentError, TimeIsUpError
from controlplane.kubeconfig import Endpoint
from controlplane.readiness import context, healthy, wait_until
from controlplane.workspace import claim, reserve_ports

READY_SECONDS: Final = 180
ACCOUNT_SECONDS: Final = 120
MASTERS: Final = "system:masters"
CREDENTIALS: Final = MappingProxyType(
    {
        "controllers": ("system:kube-controller-manager",),
        "scheduler": ("system:kube-scheduler",),
        "kwok": ("kwok", MASTERS),  # stands in for every kubelet at once
    }
)
"""Kubeconfigs of components: user name, then groups."""


class ControlPlane(Cluster):
    """An API server of our own, and as much around it as asked for. Make one with `ControlPlane.start()`."""

    def __init__(self, installation: Installation, children: Children) -> None:
        """Lay out certificates and kubeconfigs; nothing runs yet. Callers use `start`."""
        self.installation = installation
        self._authority = Authority("gatehold-control-plane")
        write_certificates(installation, self._authority)
        endpoint = Endpoint(installation.server, self._authority.pair.certificate)
        super().__init__(installation.directory, endpoint, installation.programs["kubectl"], children)
        for stem, (name, *groups) in CREDENTIALS.items():
            endpoint.write_for_client(installation.kubeconfig(stem), name, self._issue(name, tuple(groups)))
        self.user(ADMIN, MASTERS)

    @classmethod
    def start(
        cls,
        *,
        components: Collection[Component] = EVERYTHING,
        nodes: int = 3,
        apiserver_args: Sequence[str] = (),
        name: str | None = None,
        audit: bool = False,
    ) -> Self:
        """Start a control plane and return it ready: API served, fake nodes Ready, default service account there.

        `nodes` counts fake nodes and is 0 without kwok. `apiserver_args` come last, so they win.
        `audit` has the API server write down who asked for what, in `installation.audit_log`.
        """
        programs = build.programs()
        workspace = claim(name)
        children = Children(workspace)
        try:
            ports = Ports(*reserve_ports(workspace, len(Ports._fields)))
            plane = cls(Installation(workspace.path, programs, ports, tuple(apiserver_args), audit), children)
            plane._begin(components, nodes if Component.KWOK in components else 0)
        except BaseException:  # ^C included: whatever runs already must not stay
            children.close()
            raise
        return plane

    def kill(self, component: str) -> None:
        """Kill -9 a component; on return it is gone."""
        self._children.kill(component)

    def freeze(self, component: str) -> None:
        """Stop a component without ending it: connections stay open, nothing answers."""
        self._children.freeze(component)

    def thaw(self, component: str) -> None:
        """Let a frozen component go on."""
        self._children.thaw(component)

    def restart(self, component: str) -> None:
        """Kill a component if it lives and start it again, same ports and data; ready on return."""
        self._children.kill(component)
        if component == Component.KWOK:  # it has a new identity each time, and would wait 40 s for its own old leases
            self.kubectl("delete", "leases", "--all", "--namespace=kube-node-lease", check=False)
        self._children.restart(component)
        self._await(Component(component))

    def alive(self, component: str) -> bool:
        """Whether the component's process exists (frozen counts)."""
        codes = self._children.codes()
        return component in codes and codes[component] is None

    def log(self, component: str, lines: int = 50) -> str:
        """Return the last lines that a component wrote."""
        return self._children.log(component, lines)

    def _issue(self, name: str, groups: tuple[str, ...]) -> Pair:
        return self._authority.client(name, groups)

    def _begin(self, components: Collection[Component], nodes: int) -> None:
        """Start the API first: the others give up if it lets them wait too long."""
        first = [component for component in Component if component in API_ONLY]
        for component in first:
            self._children.start(component, command(component, self.installation))
        self._await(Component.API_SERVER, *first)
        others = [component for component in Component if component in components and component not in first]
        for component in others:
            self._children.start(component, command(component, self.installation))
        try:
            self.add_fake_nodes(nodes)
            if Component.CONTROLLERS in components:  # before that, no pod can be created in namespace default
                wait_until(self._has_default_account, "serviceaccount/default in namespace default", ACCOUNT_SECONDS)
        finally:
            self._children.expect_alive(*others)  # the better explanation where something above failed

    def _has_default_account(self) -> bool:
        """Look, because kubectl before 1.31 cannot wait for something to be made."""
        named = ("serviceaccount", "default", "--namespace=default", "--ignore-not-found", "-o", "name")
        return bool(self.kubectl("get", *named).stdout)

    def _await(self, component: Component, *alive: Component) -> None:
        """Wait until a component says that it is ready, while it and `alive` live; kwok says nothing, its nodes do."""
        at, pki = self.installation, self.installation.pki
        clients = context(pki / "ca.crt", pki / "apiserver")
        urls = {
            Component.ETCD: (
                f"https://127.0.0.1:{at.ports.etcd}/health",
                context(pki / "etcd-ca.crt", pki / "etcd-client"),
            ),
            Component.API_SERVER: (f"{at.server}/readyz", clients),
            Component.CONTROLLERS: (f"https://127.0.0.1:{at.ports.controllers}/healthz", clients),
            Component.SCHEDULER: (f"https://127.0.0.1:{at.ports.scheduler}/readyz", clients),
        }
        if component not in urls:
            return
        url, settings = urls[component]

        def ready() -> bool:
            self._children.expect_alive(component, *alive)
            return healthy(url, settings)

        try:
            wait_until(ready, f"{component} ready at {url}", READY_SECONDS)
        except TimeIsUpError as error:
            raise ComponentError(f"{error}\n{self.log(component)}") from error
