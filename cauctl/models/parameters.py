"""Parameters of the CAU cmdlets as data: described once, projected by the cmdlets and by the command line.

A cmdlet's parameters are the fields of one attrs class derived from :class:`CmdletOptions`; each field is made by
:func:`parameter`, whose ``help`` is its documentation. Constructing the class is binding: texts become enum members,
single values become tuples; then all faults are gathered into one :class:`~cauctl.errors.InputError`, parameters of
sets that exclude each other are refused as PowerShell refuses them, and a parameter that this version does not serve
raises :class:`~cauctl.errors.UnsupportedParameterError`. So nothing is accepted and ignored.

::

    for parameter in parameters(UpdatingRunOptions):
        print(parameter.name, parameter.python_type, parameter.range_text, parameter.help)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar, Final, Self, TypeVar, get_type_hints

from attrs import field, fields, frozen

from cauctl.errors import InputError, UnsupportedParameterError
from cauctl.models.naming import pascal_case
from cauctl.models.validation import Between, Mark, faults_of, marks_of, raise_faults, value_type

__all__ = ["CmdletOptions", "Parameter", "many", "member_of", "parameter", "parameters", "switch"]

_KEY: Final = "cauctl.parameter"

_described: dict[type[CmdletOptions], tuple[Parameter, ...]] = {}

_Member = TypeVar("_Member", bound=Enum)


@frozen
class Parameter:
    """One parameter of one cmdlet."""

    name: str
    """PowerShell's name, such as ``RebootTimeoutMinutes``."""
    attribute: str = field(kw_only=True)
    """Python's name, such as ``reboot_timeout_minutes``."""
    type_name: str = field(kw_only=True)
    """Full .NET name of its type."""
    python_type: Any = field(kw_only=True)
    """Python type of one value, without ``None`` and restrictions: int, str, bool, timedelta, an enum …"""
    many: bool = field(default=False, kw_only=True)
    """True when it takes several values."""
    default: Any = field(default=None, kw_only=True)
    """Value when it is not given."""
    default_text: str | None = field(default=None, kw_only=True)
    """The default in words, where the value does not say it."""
    position: int | None = field(default=None, kw_only=True)
    """Position from 0; None: by name only."""
    mandatory: bool = field(default=False, kw_only=True)
    """True when its sets need it."""
    aliases: tuple[str, ...] = field(default=(), kw_only=True)
    """PowerShell's other names for it."""
    sets: tuple[str, ...] = field(kw_only=True)
    """Parameter sets that it belongs to."""
    marks: tuple[Mark, ...] = field(default=(), kw_only=True)
    """Restrictions of its values."""
    since: str = field(kw_only=True)
    """First Windows Server whose documentation lists it."""
    served: bool = field(kw_only=True)
    """False: this version refuses it."""
    help: str = field(kw_only=True)
    """What it does, in a sentence."""

    @property
    def range_text(self) -> str | None:
        """What is accepted, in words: ``from 0 to 64``, or the members of its enum; None: anything of its type."""
        if isinstance(self.python_type, type) and issubclass(self.python_type, Enum):
            return ", ".join(str(member.value) for member in self.python_type)
        return " ".join(mark.text for mark in self.marks) or None

    @property
    def range(self) -> Between | None:
        """Limits of a number; None without any."""
        return next((mark for mark in self.marks if isinstance(mark, Between)), None)


def parameter(  # noqa: PLR0913  a parameter has these facts
    type_name: str,
    help: str,  # noqa: A002  the name that argparse, cyclopts and readers use
    *,
    sets: tuple[str, ...],
    since: str = "2012",
    served: bool = False,
    default: Any = None,
    default_text: str | None = None,
    position: int | None = None,
    mandatory: bool = False,
    aliases: tuple[str, ...] = (),
    converter: Callable[[Any], Any] | None = None,
    secret: bool = False,
) -> Any:
    """Make the attrs field of one parameter; see :class:`Parameter` for the facts."""
    facts = {
        "type_name": type_name,
        "help": help,
        "sets": sets,
        "since": since,
        "served": served,
        "default_text": default_text,
        "position": position,
        "mandatory": mandatory,
        "aliases": aliases,
    }
    return field(default=default, converter=converter, kw_only=True, repr=not secret, metadata={_KEY: facts})


def switch(  # noqa: PLR0913  as ``parameter``
    help: str,  # noqa: A002  as ``parameter``
    *,
    sets: tuple[str, ...],
    since: str = "2012",
    served: bool = False,
    mandatory: bool = False,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Make the attrs field of a switch, which is off unless it is given."""
    return parameter(
        "System.Management.Automation.SwitchParameter",
        help,
        sets=sets,
        since=since,
        served=served,
        default=False,
        mandatory=mandatory,
        aliases=aliases,
    )


def member_of(enum: type[_Member]) -> Callable[[Any], Any]:
    """Make a converter from PowerShell's spelling to a member; what is no member is left for the check to refuse."""

    def convert(value: Any) -> Any:
        try:
            return enum(value) if isinstance(value, str) else value
        except ValueError:
            return value

    return convert


def many(value: Any) -> Any:
    """Convert as PowerShell converts to an array: one value, a list, or nothing."""
    if value is None:
        return ()
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


@frozen(kw_only=True)
class CmdletOptions:
    """What all option classes do when they are constructed; derived classes are frozen attrs classes."""

    CMDLET: ClassVar[str]
    """PowerShell's name of the cmdlet."""
    DEFAULT_SET: ClassVar[str]
    """The parameter set when nothing decides."""

    def __attrs_post_init__(self) -> None:
        raise_faults(
            self.CMDLET,
            [*faults_of(self), *self.contradictions()],
            error_id="ParameterArgumentValidationError",
        )
        self._refuse_mixed_sets()
        self._refuse_unserved()

    @classmethod
    def bind(cls, **given: Any) -> Self:
        """Construct from values as a caller wrote them; the converters take what the fields' types do not say."""
        return cls(**given)

    def contradictions(self) -> Iterable[str]:
        """Faults that no single field shows; called when all fields may still be wrong."""
        return ()

    def given(self) -> tuple[Parameter, ...]:
        """List the parameters whose value is not their default."""
        return tuple(each for each in parameters(type(self)) if getattr(self, each.attribute) != each.default)

    @property
    def parameter_set(self) -> str:
        """The parameter set that the given parameters select."""
        possible = self._possible_sets()
        return self.DEFAULT_SET if self.DEFAULT_SET in possible else min(possible)

    def _possible_sets(self) -> frozenset[str]:
        return _all_sets(type(self)).intersection(*(each.sets for each in self.given()))

    def _refuse_mixed_sets(self) -> None:
        if not self._possible_sets():
            names = ", ".join(each.attribute for each in self.given() if len(each.sets) < len(_all_sets(type(self))))
            raise InputError(
                f"these parameters exclude each other: {names}.",
                where=self.CMDLET,
                advice="Leave out all but those of one parameter set.",
                error_id="AmbiguousParameterSet",
            )

    def _refuse_unserved(self) -> None:
        for each in self.given():
            if not each.served:
                raise UnsupportedParameterError(each.attribute, cmdlet=self.CMDLET)


def parameters(options: type[CmdletOptions]) -> tuple[Parameter, ...]:
    """Describe the parameters of a cmdlet, in the order of its fields."""
    if options not in _described:
        _described[options] = tuple(_describe(options))
    return _described[options]


def _describe(options: type[CmdletOptions]) -> Iterator[Parameter]:
    hints = get_type_hints(options, include_extras=True)
    for each in fields(options):
        facts = each.metadata[_KEY]
        yield Parameter(
            pascal_case(each.name),
            attribute=each.name,
            python_type=value_type(hints[each.name]),
            many=facts["type_name"].endswith("[]"),
            default=each.default,
            marks=marks_of(hints[each.name]),
            **facts,
        )


def _all_sets(options: type[CmdletOptions]) -> frozenset[str]:
    return frozenset(name for each in parameters(options) for name in each.sets)
