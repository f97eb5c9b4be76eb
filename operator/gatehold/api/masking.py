"""What a reviewer may see of a pod template: the listed fields, without what looks like a secret; of the rest a tag.

A tag is `sha256:` and 8 hex digits of an HMAC under a key that only this process knows: equal values have equal tags within
one request, and nobody else can test a guess. Environment values have tags only, whatever they look like.
"""

import hashlib
import hmac
import math
import re
from collections import Counter
from typing import Final

from gatehold.api.common import shortened

LONGEST: Final = 256  # characters of a value, as in the CRD
_READ: Final = 2048  # characters that are looked through; a longer text is cut there, and gets a tag of the whole


def _fields(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CONTAINER: Final = _fields(
    "name image imagePullPolicy workingDir restartPolicy terminationMessagePath terminationMessagePolicy command args "
    "ports.[].* resources.** securityContext.** volumeMounts.[].* volumeDevices.[].* resizePolicy.[].* "
    "env.[].name env.[].valueFrom.** envFrom.[].**"
)
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")
_PROBE: Final = _fields("httpGet.path httpGet.port httpGet.scheme httpGet.host tcpSocket.* grpc.* exec.command")
_POD: Final = _fields(
    "restartPolicy dnsPolicy nodeName hostname subdomain serviceAccountName serviceAccount schedulerName priorityClassName "
    "runtimeClassName preemptionPolicy nodeSelector.* affinity.** tolerations.[].* topologySpreadConstraints.[].** "
    "securityContext.** imagePullSecrets.[].name hostAliases.[].** readinessGates.[].* schedulingGates.[].* os.name "
    "dnsConfig.** resourceClaims.[].* overhead.* volumes.[].name volumes.[].emptyDir.** volumes.[].configMap.** "
    "volumes.[].secret.** volumes.[].projected.** volumes.[].downwardAPI.** volumes.[].hostPath.* volumes.[].nfs.* "
    "volumes.[].persistentVolumeClaim.* volumes.[].csi.driver volumes.[].image.* volumes.[].ephemeral.**"
)
SHOWN: Final = (
    ("metadata", "labels", "*"),
    *(("spec", *field.split(".")) for field in _POD),
    *(
        ("spec", kind, "[]", *field.split("."))
        for kind in ("containers", "initContainers")
        for field in (*_CONTAINER, *(f"{probe}.{part}" for probe in _PROBES for part in _PROBE))
    ),
)
"""Fields whose text is shown. `[]` is any item of a list, `*` any member, `**` whatever is below."""

_UNSEEN: Final = re.compile(
    "[\x00-\x20\x7f-\xa0\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]+"
)
_NAME: Final = (
    r"(?:(?:passw(?:or)?d|passphrase|secret|token|credential|authorization|(?:api|access|private|signing|encryption)[-_.]?key)"
    r"[\w.-]{0,40}|pass|pwd|auth)"
)
_VALUE: Final = r"(?:'[^']*'|\"[^\"]*\"|[^\s\"',;&]|['\"])+"  # a word of a shell, quotes and all
_SECRETS: Final = (
    re.compile(r"(-----BEGIN [A-Z ]{0,40}-----)(.*?)(?=-----END|$)"),
    re.compile(r"(://)([^/\s@]+)(?=@)"),  # the account in a URL
    re.compile(r"([^\s\"']\?)([^\s\"']+)"),  # the query of a URL
    re.compile(r"()(\beyJ[\w-]+(?:\.[\w-]*)+)"),  # a signed token
    re.compile(
        r"()\b((?:AKIA|ASIA|AIza|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|[rs]k_live_|[rs]k_test_|sk-|ya29\.|hvs\.|npm_)"
        r"[\w.-]{8,})"
    ),
    re.compile(rf"(?i)(\b(?:basic|bearer)\s)({_VALUE})"),
    re.compile(rf"(?i)({_NAME}[\\\"']{{0,4}}\s{{0,4}}[=:]\s{{0,4}}\\{{0,2}})({_VALUE})"),
    re.compile(rf"(?i)(-[\w.-]{{0,40}}{_NAME}['\"]?\s)({_VALUE})"),  # the word after a flag
)
_WORD: Final = re.compile(r"(?<![A-Za-z0-9+=])(?<!sha256:)[A-Za-z0-9+=]{20,}")
_IMAGE: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def tag(key: str, text: str) -> str:
    """What stands for a text that is not shown."""
    return "sha256:" + hmac.new(key.encode(), text.encode(errors="replace"), hashlib.sha256).hexdigest()[:8]


def plain(text: str) -> str:
    """The text in one line, without characters that would print as nothing or turn the text around them."""
    return _UNSEEN.sub(" ", text).strip()


def is_shown(steps: tuple[str, ...]) -> bool:
    """Whether the text of a field of a pod template may be seen; items of lists are the step `[]`."""
    return any(_fits(pattern, steps) for pattern in SHOWN)


def _fits(pattern: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    if pattern[-1] == "**":
        pattern, steps = pattern[:-1], steps[: len(pattern) - 1]
    return len(pattern) == len(steps) and all(
        p == s or (p == "*" and s != "[]") for p, s in zip(pattern, steps, strict=True)
    )


def masked(key: str, text: str) -> str:
    """The text in at most 256 characters with a tag in place of each secret; what is cut ends with a tag of the whole."""
    line = plain(text)
    whole = len(line) <= _READ
    seen = _scrubbed(key, line if whole else _head(line))
    if whole and len(seen) <= LONGEST:
        return seen
    return f"{shortened(seen, LONGEST - 16)} {tag(key, text)}".strip()


def _head(line: str) -> str:
    """The beginning of a long text, ended where no secret can be cut in two: between words, before anything quoted."""
    return re.split("[\"']", line[:_READ])[0].rpartition(" ")[0]


def image(key: str, text: str) -> str:
    """An image: its digest is no secret, however random it looks."""
    found = _IMAGE.search(text)
    if found is None or len(text) > LONGEST:
        return masked(key, text)
    return masked(key, text[: found.start()])[: LONGEST - len(found[0])] + found[0]


def _scrubbed(key: str, text: str) -> str:
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found[1] + tag(key, found[2]), text)
    return _WORD.sub(lambda found: tag(key, found[0]) if _is_random(found[0]) else found[0], text)


def _is_random(word: str) -> bool:
    """Whether a long word without separators looks made by a machine rather than by a person."""
    share = [count / len(word) for count in Counter(word).values()]
    entropy = -sum(p * math.log2(p) for p in share)
    if word.isalpha():
        return entropy >= 4 and word.lower() != word
    return entropy >= 3 and any(map(str.isalpha, word))
