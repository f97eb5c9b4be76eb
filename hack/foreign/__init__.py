"""The CRDs of other projects, as their own modules have them: what our examples are held against.

`crds("tekton")` gives the files. They come out of a pinned Go module (its zip holds them beside the code; nothing is
built), once a machine; a module whose content is not the pinned one is refused. Nothing of them is kept in this tree.
"""

from foreign.modules import MODULES, ForeignError, crds

__all__ = ["MODULES", "ForeignError", "crds"]
