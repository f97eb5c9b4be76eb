"""The plugin for krew: one archive for every platform, and the manifest that names it.

krew unpacks an archive and links one program. Ours holds the wheel, the locked list of what it needs, and a launcher that
makes a virtual environment of both beside itself at the first call, so that uninstalling the plugin takes all of it away.
"""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Final

from gatehold import __version__

HERE: Final = Path(__file__).resolve().parent
LOCK: Final = HERE.parent / "image" / "requirements.txt"
LICENSE: Final = HERE.parents[1] / "LICENSE"
LAUNCHER: Final = "kubectl-gatehold"


def pack(wheel: Path, into: Path, url: str) -> tuple[Path, Path]:
    """Write the archive and its manifest, which looks for it under `url`; answers both paths."""
    archive = into / f"gatehold-{__version__}-krew.tar.gz"
    archive.write_bytes(_archive({LAUNCHER: HERE / LAUNCHER, wheel.name: wheel, LOCK.name: LOCK, "LICENSE": LICENSE}))
    text = (HERE / "krew.yaml").read_text()
    for name, value in {
        "VERSION": f"v{__version__}",
        "URI": f"{url.rstrip('/')}/{archive.name}",
        "SHA256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }.items():
        text = text.replace(name, value)
    manifest = into / "gatehold.krew.yaml"
    manifest.write_text(text)
    return archive, manifest


def _archive(files: dict[str, Path]) -> bytes:
    """A tar without times and owners: the same files are the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            row = tarfile.TarInfo(name)
            row.size, row.mode = len(content), 0o755 if name == LAUNCHER else 0o644
            tar.addfile(row, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)
