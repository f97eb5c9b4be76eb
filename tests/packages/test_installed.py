"""What was built, installed as its users do: by the real krew, and by the lines of the Containerfile.

The dependencies are installed once, by the plugin's first call; the Containerfile's lines find them there, check them
against the lock, and put the wheel on top.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from controlplane import build
from controlplane.tools import tool
from gatehold import __version__
from gatehold.admission import texts
from tests.packages.conftest import Made
from tests.packages.containerfile import ROOT, copied, stages

KUBECTL = Path(build.programs()["kubectl"])
FAST = {"PIP_NO_COMPILE": "0"}  # pip reads the variable of a negative option the other way round: this means --no-compile


def call(*words: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program of the test's; answers what it printed, fails with all that it said."""
    whole = {**os.environ, **(env or {})}
    whole.pop("PYTHONPATH", None)  # what is installed has to stand on its own
    done = subprocess.run([*map(str, words)], env=whole, cwd=cwd, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def plugin(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The plugin, installed by krew and called once; the environment in which kubectl finds it."""
    root = tmp_path_factory.mktemp("krew")
    call(tool("krew"), "install", f"--manifest={made.manifest}", f"--archive={made.archive}", env={"KREW_ROOT": str(root)})
    path = os.pathsep.join([str(root / "bin"), str(KUBECTL.parent), os.environ["PATH"]])
    environ = {"PATH": path, "KREW_ROOT": str(root), "KUBECONFIG": os.devnull}
    call("kubectl-gatehold", "--version", env={**environ, **FAST})
    return environ


@pytest.mark.timeout(900)  # installs some thirty packages
def test_krew_installs_the_plugin_and_kubectl_runs_it(plugin: dict[str, str]) -> None:
    assert call("kubectl", "gatehold", "--version", env=plugin) == f"gatehold {__version__}\n"
    assert "Usage: kubectl gatehold wait" in call("kubectl", "gatehold", "wait", "--help", env=plugin)


def test_kubectl_completes_the_plugins_words(plugin: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "kubectl_complete-gatehold"
    script.write_text(call("kubectl", "gatehold", "completion", "kubectl", env=plugin))
    script.chmod(0o755)
    environ = {**plugin, "PATH": f"{tmp_path}{os.pathsep}{plugin['PATH']}"}
    said = call("kubectl", "__complete", "gatehold", "roll", env=environ)
    assert said.splitlines()[0].startswith("rollout\t")
    assert [
        line.split("\t")[0] for line in call("kubectl", "__complete", "gatehold", "rollout", "", env=environ).splitlines()
    ][:3] == ["show", "watch", "retry"]


@pytest.fixture(scope="module")
def image(plugin: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage leaves in /opt/gatehold, made by its own lines in a folder of the test's."""
    root = tmp_path_factory.mktemp("image")
    source, opt = root / "src", root / "opt"
    source.mkdir()
    opt.mkdir()
    (place,) = Path(plugin["KREW_ROOT"]).glob("store/gatehold/*/python3.*")
    shutil.move(place, opt / "gatehold")
    call(opt / "gatehold" / "bin" / "python", "-m", "pip", "uninstall", "--yes", "gatehold")
    for path in copied():
        whole = shutil.copytree if (ROOT / path).is_dir() else shutil.copy2
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        whole(ROOT / path, source / path)
    for step in stages()[0]:
        if step.word == "RUN":
            call("sh", "-ec", step.rest.replace("/opt/", f"{opt}/"), cwd=source, env=FAST)
    return opt / "gatehold"


@pytest.mark.timeout(900)
def test_the_lines_of_the_containerfile_make_a_program_that_works(image: Path) -> None:
    """The last of them asks pip whether every declared dependency is met."""
    assert call(image / "bin" / "gatehold", "--version") == f"gatehold {__version__}\n"
    code = "from gatehold.admission import texts; print(len(texts.shipped()), texts.__file__)"
    count, file = call(image / "bin" / "python", "-I", "-c", code).split()
    assert int(count) == len(texts.shipped())
    assert Path(file).is_relative_to(image)


def test_programs_linked_elsewhere_work_as_pipx_links_them(image: Path, tmp_path: Path) -> None:
    for name in ("gatehold", "kubectl-gatehold", "kubectl_complete-gatehold"):
        (tmp_path / name).symlink_to(image / "bin" / name)
    environ = {"PATH": os.pathsep.join([str(tmp_path), str(KUBECTL.parent), os.environ["PATH"]]), "KUBECONFIG": os.devnull}
    assert call("kubectl", "gatehold", "--version", env=environ) == f"gatehold {__version__}\n"
    assert call("kubectl", "__complete", "gatehold", "verif", env=environ).startswith("verify\t")
    typed = (
        "source <(gatehold completion bash); COMP_WORDS=(gatehold wait --ti); COMP_CWORD=2; _gatehold_completion gatehold"
    )
    assert call("bash", "--norc", "-c", f'{typed}; echo "${{COMPREPLY[@]}}"', env=environ).split() == ["--timeout"]
