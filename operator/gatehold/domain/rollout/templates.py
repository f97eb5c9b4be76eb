"""The templates that are kept as revisions: which can be written, which may go."""

from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.record import Record
from gatehold.domain.rollout.writes import DropRevision


def is_kept(sight: Sight, template: str) -> bool:
    """Whether the template of that digest can be written: it stands in the spec, or in a revision."""
    return template == sight.rollout.template or any(r.template == template for r in sight.revisions)


def dropped(sight: Sight, record: Record) -> tuple[DropRevision, ...]:
    """The oldest revisions that nobody refers to, beyond the limit. Asked at rest only."""
    used = {sight.rollout.template}
    used |= {known.wanted.template for known in (record.stable, record.canary) if known is not None}
    if record.promoted is not None:
        used.add(record.promoted.template)
    spare = sorted((r for r in sight.revisions if r.template not in used), key=lambda r: (r.number, r.name), reverse=True)
    return tuple(DropRevision(r.name, r.uid) for r in spare[sight.rollout.history :])
