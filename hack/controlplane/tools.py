"""Programs of other projects that tests run for real: `tool("helm")` is the path of one, built the first time.

Each folder of `hack/tools` is a Go module of ours: a `tools.go` that names the packages of others, or a `main.go` that is
the program itself, bearing its folder's name. A new folder needs no row here.
"""

import re
from pathlib import Path
from typing import Final

from controlplane import compiling
from controlplane.compiling import PINS, Module
from controlplane.errors import BuildError

TOOLS: Final = Path(__file__).resolve().parents[1] / "tools"
SHELF: Final = "tools"
_IMPORT: Final = re.compile(r'^\s*_ "([^"]+)"$', re.MULTILINE)


def tool(name: str) -> Path:
    """Return where this program lies; build it if need be, which takes a minute or more the first time."""
    for module in modules():
        if name in module.programs:
            return _built(module)[name]
    message = (
        f"No tool is called {name}; there are: {', '.join(names())}.\nNext: take one of these, or add hack/tools/{name}."
    )
    raise BuildError(message)


def names() -> list[str]:
    """Return what can be asked for."""
    return sorted(name for module in modules() for name in module.programs)


def build_all() -> dict[str, Path]:
    """Build what is missing; return where each tool lies."""
    return {name: path for module in modules() for name, path in _built(module).items()}


def modules() -> list[Module]:
    """Return every module of `hack/tools`."""
    return [_module(path.parent) for path in sorted(TOOLS.glob("*/go.mod"))]


def _built(module: Module) -> dict[str, Path]:
    """Build the programs of one module together: they share most of what is compiled."""
    if missing := module.missing():
        compiling.build(module, missing, f"Building {', '.join(missing)}: minutes on two cores the first time")
    return {name: module.cache / name for name in module.programs}


def _module(folder: Path) -> Module:
    """Read off the folder what it makes. Text of our own counts as much as the pins."""
    named = folder / "tools.go"
    if named.exists():
        programs = {package.rpartition("/")[2]: package for package in _IMPORT.findall(named.read_text())}
        return Module(folder, SHELF, programs, sources=(*PINS, named.name))
    texts = sorted(path.name for path in folder.glob("*.go"))
    return Module(folder, SHELF, {folder.name: "."}, sources=(*PINS, *texts))
