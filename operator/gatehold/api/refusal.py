"""What the API server said when it refused a write, made fit for a status that the whole namespace can read."""

import re
from typing import Final

from gatehold.api.common import shortened

_MOST: Final = 400
_HIDDEN: Final = "(not shown)"
_VALUES: Final = re.compile(r"(Invalid value|Duplicate value|Unsupported value):.*", re.DOTALL)
_UNSEEN: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+"
)
_SECRETS: Final = (
    re.compile(r"(?<=://)[^/\s@\"']+@"),  # the account in a URL
    re.compile(r"(?<=[^\s\"'])\?[^\s\"']+"),  # the query of a URL
    re.compile(r"\beyJ[\w-]+(\.[\w-]*)+"),  # a token
    re.compile(r"(?i)\b(?:basic|bearer)\s+[^\s\"',;]+"),
    re.compile(
        r"(?i)(?<=\b)[\w-]*(?:password|passwd|secret|token|api[-_]?key|credential)[\w-]*[\"']?\s*[=:]\s*[\"']?[^\s\"',;]+"
    ),
    re.compile(r"[A-Za-z0-9+/_=]{40,}"),  # keys and digests; names have dashes or dots
)


def shown(message: str) -> str:
    """One line of at most 400 characters, without values of fields and without what looks like a secret."""
    text = _VALUES.sub(rf"\1 {_HIDDEN}", message)
    text = _UNSEEN.sub(" ", text).strip()
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return shortened(text, _MOST)
