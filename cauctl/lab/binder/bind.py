"""From arguments to bound parameters, step by step as ``CmdletParameterBinderController`` goes.

The first fault wins: named arguments one by one, positional ones, sets that exclude each other, names that nobody
knows, arguments that are left over, mandatory parameters that are missing, and then each piped object by itself.

Use::

    binding = Binding(metadata, arguments, expects_input=False)
    binding.parameters, binding.parameter_set
    # with pipeline input, once for each object:
    binding.bind_object(value)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.arguments import find_parameter, pair_arguments
from cauctl.lab.binder.coerce import NOT_BOUND, bind_value
from cauctl.lab.binder.convert import text_of
from cauctl.lab.binder.dotnet import as_list
from cauctl.lab.binder.errors import BindingError, Fault, input_error, missing_mandatory
from cauctl.lab.binder.positions import PositionalTable
from cauctl.lab.binder.sets import SetChoice
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cauctl.lab.binder.metadata import CommandMetadata, ParameterMetadata, SetAttributes
    from cauctl.lab.runspace.requests import Argument

__all__ = ["Binding"]

_BY_VALUE: Final = True
_BY_PROPERTY: Final = False
_STEPS: Final = ((_BY_VALUE, False), (_BY_PROPERTY, False), (_BY_VALUE, True), (_BY_PROPERTY, True))
"""How a piped object is tried: by value or by property name, without conversion first."""


class Binding:
    """One call of a command.

    Args:
        metadata: the command.
        arguments: what was given.
        expects_input: whether objects will be piped in.

    Raises:
        BindingError: the call is refused.
    """

    def __init__(self, metadata: CommandMetadata, arguments: Sequence[Argument], *, expects_input: bool) -> None:
        self.metadata = metadata
        self._bound: dict[str, Any] = {}
        self._unbound: list[ParameterMetadata] = list(metadata.parameters)
        self._piped: list[ParameterMetadata] = []
        self._sets = SetChoice(metadata, self._unbound)
        self._bind_arguments(pair_arguments(metadata, arguments))
        self._sets.settle(expects_input=expects_input)
        missing = self._sets.missing_mandatory(expects_input=expects_input)
        if missing:
            raise missing_mandatory([parameter.name for parameter in missing])
        if not expects_input:
            self._sets.verify_one_selected()
        self._before_input = self._sets.current

    def __repr__(self) -> str:
        return f"<Binding {self.metadata.name} {self.parameter_set}: {', '.join(self._bound) or 'nothing'}>"

    @property
    def parameter_set(self) -> str:
        """Name of the chosen parameter set."""
        return self._sets.name

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Bound values by canonical name, without common parameters."""
        return {name: value for name, value in self._bound.items() if not self._is_common(name)}

    @property
    def common(self) -> Mapping[str, Any]:
        """Bound values of common parameters."""
        return {name: value for name, value in self._bound.items() if self._is_common(name)}

    def _is_common(self, name: str) -> bool:
        return any(parameter.common and parameter.name == name for parameter in self.metadata.parameters)

    def _bind(self, value: Any, parameter: ParameterMetadata, *, coerce: bool) -> bool:
        """Bind a value to a parameter if that is possible without conversion, or with it if allowed."""
        bound = bind_value(value, parameter, compiled=self.metadata.compiled, coerce=coerce)
        if bound is NOT_BOUND:
            return False
        if parameter.flags:
            self._sets.narrow(parameter.flags)
        if parameter in self._unbound:
            self._unbound.remove(parameter)
        self._bound[parameter.name] = bound
        return True

    def _bind_arguments(self, arguments: Sequence[Argument]) -> None:
        left = self._bind_named(arguments)
        left, fault = self._bind_positional(left)
        self._sets.validate(awaiting_input=True, choose_default=False)
        left = self._bind_remaining(left)
        if left:
            raise self._left_over(left[0], fault)

    def _bind_named(self, arguments: Sequence[Argument]) -> list[Argument]:
        left: list[Argument] = []
        for argument in arguments:
            parameter = None if argument.name is None else find_parameter(self.metadata, argument.name)
            if parameter is None:
                left.append(argument)
                continue
            if parameter.name in self._bound:
                raise BindingError(
                    f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once. To "
                    "provide multiple values to parameters that can accept multiple values, use the array syntax.",
                    error_id="ParameterAlreadyBound",
                    parameter=parameter.name,
                )
            self._bind(argument.value, parameter, coerce=True)
        return left

    def _bind_positional(self, arguments: list[Argument]) -> tuple[list[Argument], BindingError | None]:
        """Bind what has no name by position; give what is left and why the last try failed."""
        fault: BindingError | None = None
        if all(argument.name is not None for argument in arguments):
            return arguments, None
        table = PositionalTable(self._unbound, self._sets.current)
        left: list[Argument] = []
        valid = self._sets.current
        for argument in arguments:
            candidates = table.next() if argument.name is None else None
            if candidates is None:
                left.append(argument)
                continue
            bound, fault = self._bind_position(argument, candidates, valid)
            if not bound:
                left.append(argument)
            elif valid != self._sets.current:
                valid = self._sets.current
                table.narrow(valid)
        return left, fault

    def _bind_position(
        self, argument: Argument, candidates: Sequence[tuple[ParameterMetadata, SetAttributes]], valid: int
    ) -> tuple[bool, BindingError | None]:
        """Try the default set without conversion, the others, then both with it."""
        default = self.metadata.default_flag
        fault: BindingError | None = None
        for coerce in (False, True):
            for sets in (default, valid) if default & valid else (valid,):
                bound, fault = self._bind_position_in(argument, candidates, sets, coerce=coerce)
                if bound:
                    return True, None
        return False, fault

    def _bind_position_in(
        self,
        argument: Argument,
        candidates: Sequence[tuple[ParameterMetadata, SetAttributes]],
        sets: int,
        *,
        coerce: bool,
    ) -> tuple[bool, BindingError | None]:
        result = False
        fault: BindingError | None = None
        done: set[str] = set()
        for parameter, attributes in candidates:
            if parameter.name in done or not attributes.matches(sets):
                continue
            try:
                if self._bind(argument.value, parameter, coerce=coerce):
                    result = True
                    done.add(parameter.name)
            except BindingError as error:
                if error.fault is not Fault.BINDING:
                    raise
                fault = error
        return result, fault

    def _bind_remaining(self, arguments: list[Argument]) -> list[Argument]:
        """Give all that is left to the parameter that takes it, if there is one."""
        if not arguments:
            return []
        takers = [
            parameter
            for parameter in self._unbound
            if any(attributes.remaining for attributes in parameter.matching(self._sets.current))
        ]
        if not takers:
            return arguments
        values: list[Any] = []
        for argument in arguments:
            if argument.name is not None:
                values.append(f"-{argument.name}")
            if argument.name is None or argument.value is not None:
                values.append(argument.value)
        only = as_list(values[0]) if len(values) == 1 else None
        self._bind(values if only is None else list(only), takers[0], coerce=True)
        return []

    @staticmethod
    def _left_over(argument: Argument, fault: BindingError | None) -> BindingError:
        if argument.name is not None:
            return BindingError(
                f"A parameter cannot be found that matches parameter name '{argument.name}'.",
                error_id="NamedParameterNotFound",
                parameter=argument.name,
            )
        if fault is not None:
            return fault
        shown = "$null" if argument.value is None else text_of(argument.value)
        return BindingError(
            f"A positional parameter cannot be found that accepts argument '{shown}'.",
            error_id="PositionalParameterNotFound",
            parameter=shown,
        )

    def bind_object(self, value: Any) -> None:
        """Bind a piped object in place of the one before.

        Raises:
            BindingError: it does not bind; the next one may.
        """
        self._restore()
        try:
            bound = self._bind_piped(value)
            self._sets.verify_one_selected()
        except BindingError:
            self._restore()
            raise
        if not bound:
            self._restore()
            raise input_error(value, [])
        missing = self._sets.missing_mandatory(expects_input=False)
        if missing:
            names = [parameter.name for parameter in missing]
            self._restore()
            raise input_error(value, names)

    def _restore(self) -> None:
        """Forget what the last piped object has bound."""
        order = {parameter.name: number for number, parameter in enumerate(self.metadata.parameters)}
        for parameter in self._piped:
            self._bound.pop(parameter.name, None)
            if parameter not in self._unbound:
                self._unbound.append(parameter)
        self._unbound.sort(key=lambda parameter: order[parameter.name])
        self._piped.clear()
        self._sets.current = self._before_input

    def _bind_piped(self, value: Any) -> bool:
        """Try an object step by step; a set that is to be preferred is tried before all others."""
        preferred = self._sets.preferred
        rounds = [preferred, 0] if preferred else [self._sets.current]
        result = False
        for number, sets in enumerate(rounds):
            valid = sets if number == 0 else self._sets.current & ~preferred
            for by_value, coerce in _STEPS:
                if not self._bind_piped_step(value, valid, by_value=by_value, coerce=coerce):
                    continue
                result = True
                if not preferred or number == 1:
                    self._sets.validate(awaiting_input=True, choose_default=True)
                    valid = self._sets.current
            if preferred and self._sets.current == preferred:
                break
        self._sets.validate(awaiting_input=False, choose_default=True)
        return result

    def _bind_piped_step(self, value: Any, valid: int, *, by_value: bool, coerce: bool) -> bool:
        """Try one step, for the default set first."""
        default = self.metadata.default_flag
        if default & valid:
            if self._bind_piped_in(value, default, by_value=by_value, coerce=coerce):
                return True
            valid &= ~default
        return self._bind_piped_in(value, valid, by_value=by_value, coerce=coerce)

    def _bind_piped_in(self, value: Any, sets: int, *, by_value: bool, coerce: bool) -> bool:
        bound = False
        for parameter in reversed(list(self._unbound)):
            if not parameter.pipeline_somewhere or not (parameter.flags & sets or parameter.in_all_sets):
                continue
            for attributes in parameter.matching(sets):
                if by_value and attributes.by_value:
                    found = self._bind_piped_value(value, parameter, coerce=coerce)
                elif not by_value and attributes.by_property_name and value is not None:
                    found = self._bind_piped_property(value, parameter, coerce=coerce)
                else:
                    continue
                if found:
                    bound = True
                    break
        return bound

    def _bind_piped_value(self, value: Any, parameter: ParameterMetadata, *, coerce: bool) -> bool:
        try:
            found = self._bind(value, parameter, coerce=coerce)
        except BindingError as error:
            if error.fault is Fault.VALIDATION or (error.fault is Fault.TRANSFORMATION and not error.failed_cast):
                raise
            return False
        if found:
            self._piped.append(parameter)
        return found

    def _bind_piped_property(self, value: Any, parameter: ParameterMetadata, *, coerce: bool) -> bool:
        found, member = _property(value, (parameter.name, *parameter.aliases))
        if not found:
            return False
        try:
            bound = self._bind(member, parameter, coerce=coerce)
        except BindingError as error:
            if error.fault is not Fault.BINDING:
                raise
            return False
        if bound:
            self._piped.append(parameter)
        return bound


def _property(value: Any, names: Sequence[str]) -> tuple[bool, Any]:
    """Find a property of an object by the first name that it has."""
    if isinstance(value, PSObject):
        for name in names:
            for members in (value.extended, value.adapted):
                if members is not None and name in members:
                    return True, members[name]
        return False, None
    if isinstance(value, str) and "length" in (name.casefold() for name in names):
        return True, len(value)
    return False, None
