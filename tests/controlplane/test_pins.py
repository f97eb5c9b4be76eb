"""Other Kubernetes versions: which there are, which one is chosen, and that each is pinned whole. No server needed."""

import json
import subprocess
from pathlib import Path

import pytest

from controlplane import ControlPlaneError, build, kubernetes, pinning, pins
from controlplane.pins import Pin

OTHERS = [pin for pin in pins.known() if pin != pins.default()]


def test_the_oldest_supported_version_and_one_newer_than_the_default_are_pinned() -> None:
    numbers = [pin.number for pin in pins.known()]

    assert numbers[0] == (1, 30)
    assert numbers[-1] > pins.default().number
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("asked", ["1.33", "1.33.13"])
def test_a_version_is_chosen_by_its_minor_or_in_full(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("GATEHOLD_KUBERNETES", asked)

    assert (pins.chosen().version, kubernetes()) == ("1.33.13", (1, 33))


def test_without_a_choice_it_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEHOLD_KUBERNETES", raising=False)

    assert pins.chosen() == pins.default()


@pytest.mark.parametrize("asked", ["1.3", "1.29", "1.33.1", "v1.33", "newest"])
def test_a_version_that_is_not_pinned_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("GATEHOLD_KUBERNETES", asked)

    with pytest.raises(ControlPlaneError, match=r"(?s)only 1\.30\.\d+.*python -m controlplane pin"):
        pins.chosen()


@pytest.mark.parametrize("pin", OTHERS, ids=lambda pin: pin.version)
def test_every_module_of_kubernetes_is_pinned_to_the_same_version(pin: Pin) -> None:
    command = ["go", "mod", "edit", "-json", str(pin.folder / "go.mod")]
    module = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    replaced = {row["Old"]["Path"]: row["New"]["Version"] for row in module["Replace"]}
    wanted = {row["Path"] for row in module["Require"] if row["Version"] == "v0.0.0"}

    assert wanted
    assert wanted <= set(replaced)
    assert set(replaced.values()) == {f"v0.{pin.version.partition('.')[2]}"}
    assert pin.folder.name == pin.minor


def test_a_go_mod_is_made_of_kubernetes_own() -> None:
    theirs = {
        "Go": "1.24.0",
        "Replace": [
            {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
            {"Old": {"Path": "example.org/fork"}, "New": {"Path": "example.org/other"}},
        ],
    }

    assert pinning.module("1.33.13", theirs) == (
        "module gatehold.dev/hack/controlplane/versions/1.33\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v1.33.13\n\n"
        "replace (\n\tk8s.io/api => k8s.io/api v0.33.13\n)\n"
    )


def test_another_version_borrows_etcd_and_kwok_and_no_program_of_kubernetes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.write_text(f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo "$PWD $3" >> {tmp_path}/log
: > "$2" && chmod +x "$2"
""")
    go.chmod(0o755)
    named = tmp_path / "named"
    named.mkdir()
    for name in ("kube-apiserver", "kwok"):
        (named / name).touch(mode=0o755)
    for key, value in (
        ("GATEHOLD_KUBERNETES", "1.33"),
        ("GATEHOLD_CACHE", str(tmp_path / "cache")),
        ("GATEHOLD_CONTROLPLANE_BIN", str(named)),
        ("PATH", f"{tmp_path}:/usr/bin:/bin"),
    ):
        monkeypatch.setenv(key, value)
    found = build.programs()

    ours, theirs = pins.HERE, pins.VERSIONS / "1.33"
    wanted = [f"{theirs} {build.PROGRAMS[name]}" for name in build.of_kubernetes()]
    assert sorted((tmp_path / "log").read_text().splitlines()) == sorted([f"{ours} go.etcd.io/etcd/server/v3", *wanted])
    assert found["kwok"] == named / "kwok"
    assert found["kube-apiserver"].parent == build.cache(pins.chosen()) != build.cache(pins.default())
