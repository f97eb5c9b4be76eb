"""What all parsers share: times, amounts, and the one error."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

GROUP = "gatehold.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Body = Mapping[str, Any]


class ParseError(ValueError):
    """An object that cannot be read. The text names fields, never values, since it may end in a status."""


class Wire(BaseModel):
    """A part of an object as it stands on the wire: camelCase, strict, unknown fields ignored (a newer CRD's)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, strict=True)


T = TypeVar("T", bound=Wire)


def read(model: type[T], value: object, where: str) -> T:
    """Read one part of an object. Raises ParseError with the paths of the fields that are wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        places = sorted({".".join((where, *map(str, e["loc"]))) + ": " + e["type"] for e in error.errors()})
        raise ParseError("; ".join(places[:5])) from None


def time(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime. Raises ParseError."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:  # without an offset it would be taken as this machine's local time
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ParseError("not an RFC 3339 time")


def optional_time(text: str | None) -> datetime | None:
    """The same, where it may be absent."""
    return None if text is None else time(text)


def shortened(text: str, most: int) -> str:
    """The text in at most that many characters; what is cut says so."""
    return text if len(text) <= most else text[: most - 1] + "…"


def stamp(instant: datetime | None) -> str | None:
    """An instant for the wire, in UTC, with microseconds where it has some; None stays None."""
    if instant is None:
        return None
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if instant.microsecond else "%Y-%m-%dT%H:%M:%SZ"
    return instant.astimezone(UTC).strftime(form)


def amount(text: str | None, where: str) -> Decimal | None:
    """A decimal amount; money never passes through a float. Raises ParseError with the field's path, `where`."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ParseError(f"{where}: not a decimal amount") from None
    if not value.is_finite() or value < 0:
        raise ParseError(f"{where}: not a finite, non-negative amount")
    return value


W = TypeVar("W", bound=StrEnum)


def word(of: type[W], text: str, where: str) -> W:
    """One of a closed set of words. Raises ParseError with the field's path, `where`."""
    try:
        return of(text)
    except ValueError:
        raise ParseError(f"{where}: unknown") from None


def sparse(**fields: object) -> dict[str, object]:
    """A JSON object without its empty members: absent stays absent."""
    return {key: value for key, value in fields.items() if value not in (None, "", (), [], {})}
