"""Events as JSON and back.

An event is an object with its class in ``event`` and its fields by name; fields at their defaults are left out, except
those of the run's settings, which decide and must outlive a change of defaults. Times are ISO 8601, durations seconds,
enums their .NET names. Reading is strict: an unknown class, field or value is a :class:`~cauctl.errors.StateError`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cattrs import BaseValidationError, Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_unstructure_fn

from cauctl.coordinator import events
from cauctl.coordinator.events import Event
from cauctl.coordinator.settings import Limits, RunSettings
from cauctl.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attrs import AttrsInstance

__all__ = ["event_to_json", "json_to_event", "strict_converter"]

_EVENTS: Mapping[str, type[Event]] = {
    name: cls for name in events.__all__ if isinstance(cls := getattr(events, name), type) and issubclass(cls, Event)
}


def event_to_json(event: Event) -> dict[str, Any]:
    """Give an event as an object that :mod:`json` can write."""
    return {"event": type(event).__name__, **_converter.unstructure(event)}


def json_to_event(record: Mapping[str, Any]) -> Event:
    """Read an event; StateError when it is none of this version's."""
    fields = dict(record)
    name = fields.pop("event", None)
    cls = _EVENTS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise StateError(f"{name!r:.80} is no event that this version knows.")
    try:
        return _converter.structure(fields, cls)
    except (BaseValidationError, ForbiddenExtraKeysError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise StateError(f"{name}: cannot be read as this version's: {error!s:.200}") from error


def strict_converter(*, omit_defaults: bool, detailed: bool) -> Converter:
    """Make a converter of values to JSON and back that refuses what it does not know.

    Args:
        omit_defaults: leave out fields that are at their defaults.
        detailed: gather all faults with their places, instead of raising the first.
    """
    converter = Converter(omit_if_default=omit_defaults, forbid_extra_keys=True, detailed_validation=detailed)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, _duration)
    for cls in (int, str, bool):
        converter.register_structure_hook(cls, _exactly(cls))
    return converter


def _make_converter() -> Converter:
    converter = strict_converter(omit_defaults=True, detailed=False)
    whole: tuple[type[AttrsInstance], ...] = (Limits, RunSettings)  # the inner one first: the outer takes its hook
    for settings in whole:
        hook = make_dict_unstructure_fn(settings, converter, _cattrs_omit_if_default=False)
        converter.register_unstructure_hook(settings, hook)
    return converter


def _moment(value: Any, _: type) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.utcoffset() is None:
        raise ValueError("a time without its zone")
    return moment


def _duration(value: Any, _: type) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a duration is a number of seconds")
    return timedelta(seconds=value)


def _exactly(cls: type) -> Any:
    def structure(value: Any, _: type) -> Any:
        if type(value) is not cls:
            raise TypeError(f"{value!r:.40} is no {cls.__name__}")
        return value

    return structure


_converter = _make_converter()
