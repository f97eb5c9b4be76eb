"""What a release consists of, made into `dist/`: wheel, sdist, the archive and manifest for krew, and their checksums.

The image and the chart are made from the same tree by their own tools; docs/how-to/release.md has the whole order.
"""

from release.krew import pack
from release.packages import build

__all__ = ["build", "pack"]
