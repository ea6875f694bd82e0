"""The choice of a parameter set: what is still possible, what the default decides, what mandatory parameters decide.

``current`` is a bit mask of the sets that are still possible; :data:`~cauctl.lab.binder.metadata.EVERY_SET` while
nothing has narrowed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from cauctl.lab.binder.errors import ambiguous_set
from cauctl.lab.binder.metadata import EVERY_SET, ParameterMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cauctl.lab.binder.metadata import CommandMetadata, SetAttributes

__all__ = ["SetChoice"]


def count_sets(sets: int) -> int:
    """Count the sets of a mask; no choice made counts as one."""
    return 1 if sets == EVERY_SET else sets.bit_count()


@define
class _Missing:
    """Unbound mandatory parameters of one set (or of all sets)."""

    flag: int
    is_default: bool
    nameable: list[ParameterMetadata] = field(factory=list)
    """Those that only the command line can give."""
    by_value: list[ParameterMetadata] = field(factory=list)
    by_property_name: list[ParameterMetadata] = field(factory=list)

    @property
    def is_all(self) -> bool:
        """Whether it stands for all sets."""
        return self.flag == EVERY_SET

    @property
    def takes_input(self) -> bool:
        """Whether pipeline input can give some of them."""
        return bool(self.by_value or self.by_property_name)


class SetChoice:
    """The parameter sets of one call.

    Args:
        metadata: the command.
        unbound: its unbound parameters; the caller's list, which shrinks as parameters are bound.
    """

    def __init__(self, metadata: CommandMetadata, unbound: Sequence[ParameterMetadata]) -> None:
        self._metadata = metadata
        self._unbound = unbound
        self.current = EVERY_SET
        self.preferred = 0
        """A set that piped objects are tried with before the other possible ones."""
        self._count = 0

    @property
    def name(self) -> str:
        """Name of the chosen set."""
        return self._metadata.set_name(self.current)

    def narrow(self, flags: int) -> None:
        """Keep only sets of ``flags``."""
        self.current &= flags

    def validate(self, *, awaiting_input: bool, choose_default: bool) -> int:
        """Make sure that some set is possible, and only one unless pipeline input may still decide; count them."""
        default = self._metadata.default_flag
        count = count_sets(self.current)
        if count == 0:
            raise ambiguous_set()
        if count > 1:
            return self._validate_several(default, awaiting_input=awaiting_input, choose_default=choose_default)
        if self.current != EVERY_SET:
            return 1
        count = len(self._metadata.set_names) or 1
        if awaiting_input and self._takes_input(self.current):
            return count
        if default:
            if choose_default:
                self.current = default
                return 1
            return count
        return self._resolve_by_mandatory() if count > 1 else count

    def _validate_several(self, default: int, *, awaiting_input: bool, choose_default: bool) -> int:
        if default & self.current:
            if choose_default:
                self.current = default
                return 1
            return count_sets(self.current)
        if awaiting_input and self._takes_input(self.current):
            return count_sets(self.current)
        return self._resolve_by_mandatory()

    def _resolve_by_mandatory(self) -> int:
        """Take the only set whose mandatory parameters are all bound."""
        remaining = self.current & self._metadata.all_flags
        for attributes in self._unbound_attributes():
            if attributes.mandatory:
                remaining &= ~attributes.flag
        if count_sets(remaining) != 1:
            raise ambiguous_set()
        self.current = remaining
        return 1

    def _unbound_attributes(self) -> Iterable[SetAttributes]:
        return (attributes for parameter in self._unbound for attributes in parameter.sets)

    def _takes_input(self, sets: int) -> bool:
        return any(attributes.from_pipeline and attributes.matches(sets) for attributes in self._unbound_attributes())

    def settle(self, *, expects_input: bool) -> None:
        """Choose after all arguments are bound, as far as no pipeline input has to be awaited."""
        self._count = self.validate(awaiting_input=expects_input, choose_default=not expects_input)
        if self._count > 1 and expects_input:
            filtered = self._taking_input()
            if filtered != self.current:
                self.current = filtered
                self._count = self.validate(awaiting_input=True, choose_default=False)

    def _taking_input(self) -> int:
        """Give the possible sets that can still take pipeline input; all if that leaves none."""
        takers = 0
        for parameter in self._unbound:
            for attributes in parameter.matching(self.current):
                if not attributes.from_pipeline:
                    continue
                if not attributes.flag:
                    return self.current
                takers |= attributes.flag
        return self.current & takers or self.current

    def verify_one_selected(self) -> None:
        """Take the default if nothing has decided; without one the choice is ambiguous."""
        if len(self._metadata.set_names) > 1 and self.current == EVERY_SET:
            if not self._metadata.default_flag:
                raise ambiguous_set()
            self.current = self._metadata.default_flag

    def missing_mandatory(self, *, expects_input: bool) -> list[ParameterMetadata]:
        """Give the mandatory parameters that nothing can bind any more; the choice of a set may follow from them."""
        found: dict[int, _Missing] = {}
        result: list[ParameterMetadata] = []
        sets, in_all = 0, False
        for parameter in self._unbound:
            for attributes in parameter.matching(self.current):
                if not attributes.mandatory:
                    continue
                self._note_missing(found, parameter, attributes, expects_input=expects_input)
                if parameter not in result:
                    result.append(parameter)
                in_all = in_all or not attributes.flag
                sets |= self.current & attributes.flag
        if not expects_input or not found:
            return result
        if not sets:
            sets = self.current
        if in_all:
            sets = self.current & (self._metadata.all_flags or EVERY_SET)
        return self._choose_by_missing(list(found.values()), sets)

    def _note_missing(
        self,
        found: dict[int, _Missing],
        parameter: ParameterMetadata,
        attributes: SetAttributes,
        *,
        expects_input: bool,
    ) -> None:
        flag = attributes.flag or EVERY_SET
        entry = found.setdefault(flag, _Missing(flag, bool(self._metadata.default_flag & flag)))
        if not expects_input or not attributes.from_pipeline:
            entry.nameable.append(parameter)
            return
        if attributes.by_value:
            entry.by_value.append(parameter)
        if attributes.by_property_name:
            entry.by_property_name.append(parameter)

    def _choose_by_missing(self, found: Sequence[_Missing], sets: int) -> list[ParameterMetadata]:
        default = self._metadata.default_flag
        if self._count > 1 and default and not default & sets and default & self.current:
            sets = self._without_missing(found, sets)
        count = count_sets(sets)
        if count == 0:
            raise ambiguous_set()
        if count == 1:
            return _nameable(found, sets)
        if self.preferred:
            return []
        if default & sets and self._latches_on_default(found):
            self.current = default
            return _nameable(found, default)
        return self._choose_input_set(found, sets)

    def _without_missing(self, found: Sequence[_Missing], sets: int) -> int:
        """Leave the sets that miss nothing, the default among them, unless another one waits for input."""
        default = self._metadata.default_flag
        waiting = any(
            entry.flag & self.current and not entry.flag & default and not entry.is_all and entry.takes_input
            for entry in found
        )
        if waiting:
            return sets
        self.current &= ~sets
        if self.current == EVERY_SET & ~sets:
            self.current &= self._metadata.all_flags
        if self.current != default:
            self.preferred = default
        return self.current

    @staticmethod
    def _latches_on_default(found: Sequence[_Missing]) -> bool:
        """Tell whether the default set is taken rather than another that could be filled by input."""
        others = [entry for entry in found if not entry.is_all and not entry.is_default]
        another = any(entry.takes_input and not entry.nameable for entry in others)
        another_by_property = any(entry.by_property_name for entry in others)
        own = next((entry for entry in found if entry.is_default and not entry.is_all), None)
        if own is not None and own.by_property_name and not another_by_property:
            return True
        if not another:
            return True
        return any(entry.is_all and entry.nameable for entry in found)

    def _choose_input_set(self, found: Sequence[_Missing], sets: int) -> list[ParameterMetadata]:
        """Take the one set that waits for input; with none or several, drop the sets that can no longer be filled."""
        own = [entry for entry in found if entry.flag & sets and not entry.is_all]
        by_value = [entry for entry in own if entry.by_value]
        by_property = [entry for entry in own if entry.by_property_name]
        value_flag = by_value[0].flag if len(by_value) == 1 else 0
        property_flag = by_property[0].flag if len(by_property) == 1 else 0
        chosen = 0
        if by_value and by_property and value_flag == property_flag:
            chosen = value_flag
        elif bool(by_value) != bool(by_property):
            chosen = value_flag or property_flag
        if chosen:
            return self._keep_with(found, chosen)
        unfillable = [entry for entry in found if (entry.flag & sets or entry.is_all) and entry.nameable]
        if not unfillable:
            return []
        if value_flag:
            return self._keep_with(found, value_flag)
        if len(by_value) <= 1 and len(by_property) <= 1:
            raise ambiguous_set()
        self._drop(sum(entry.flag for entry in unfillable if not entry.is_all))
        if not self.current:
            raise ambiguous_set()
        return []

    def _keep_with(self, found: Sequence[_Missing], chosen: int) -> list[ParameterMetadata]:
        """Keep the chosen set, and those that miss nothing unless the chosen one must be asked for something."""
        own = next(entry for entry in found if entry.flag == chosen)
        if own.nameable:
            self.current = chosen
        else:
            others = 0
            for entry in found:
                if not entry.flag & chosen and not entry.is_all:
                    others |= entry.flag
            self._drop(others)
            if self.current != chosen:
                self.preferred = chosen
        return _nameable(found, chosen)

    def _drop(self, sets: int) -> None:
        if sets:
            possible = self._metadata.all_flags if self.current == EVERY_SET else self.current
            self.current = possible & ~sets


def _nameable(found: Sequence[_Missing], sets: int) -> list[ParameterMetadata]:
    """Give what only the command line could have given, for the sets that count."""
    result: list[ParameterMetadata] = []
    for entry in found:
        if entry.flag & sets or entry.is_all:
            result += [parameter for parameter in entry.nameable if parameter not in result]
    return result
