"""One variable of the environment as a field of a dataclass, and reading all fields at once.

All problems are collected into one message, which names variables and never shows a value.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


class EnvError(Exception):
    """The environment is invalid; the message lists the variables and what each of them must be."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The configuration is invalid:\n" + "\n".join(f"  {line}" for line in problems))


@dataclass(frozen=True, slots=True)
class Setting:
    """The properties of one variable, apart from its value."""

    name: str
    parse: Callable[[str], Any]
    about: str
    example: str
    secret: bool
    needed_in_production: bool
    parts: tuple[str, ...]
    absent: Any


def setting(
    name: str,
    parse: Callable[[str], Any],
    default: Any = MISSING,
    *,
    about: str,
    example: str = "",
    secret: bool = False,
    needed_in_production: bool = False,
    parts: tuple[str, ...] = (),
    absent: Any = "",
) -> Any:
    """Declare a dataclass field that is read from the variable `name`.

    With `parts`, only these parts of an installation read it; in all others, the field has the value `absent`.
    """
    metadata = {"setting": Setting(name, parse, about, example, secret, needed_in_production, parts, absent)}
    return field(default=default, metadata=metadata)


def read_fields(config: type[Config], values: Mapping[str, str], *, part: str = "") -> Config:
    """Create a `config` from `values`, or raise one EnvError that lists every problem.

    With a `part`, variables that only other parts need are not read.
    """
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    missing: list[Setting] = []
    for item in fields(config):
        variable = cast(Setting, item.metadata["setting"])
        if part and variable.parts and part not in variable.parts:
            parsed[item.name] = variable.absent
            continue
        raw = _raw_value(values, variable, problems)
        if not raw:
            missing.append(variable)
            if item.default is MISSING:
                problems.append(f"{variable.name} is not set: {variable.about}.")
            continue
        try:
            parsed[item.name] = variable.parse(raw)
        except ValueError as problem:
            problems.append(f"{variable.name} {problem}.")
    if parsed.get("mode") == "production":
        needed = (variable for variable in missing if variable.needed_in_production)
        problems += [f"{variable.name} must be set in production: {variable.about}." for variable in needed]
    if problems:
        raise EnvError(sorted(set(problems)))
    return config(**parsed)


def _raw_value(values: Mapping[str, str], variable: Setting, problems: list[str]) -> str:
    """Return the variable's text, for a secret possibly from the file that `NAME_FILE` names."""
    raw = values.get(variable.name, "")
    file = values.get(f"{variable.name}_FILE", "") if variable.secret else ""
    if raw and file:
        problems.append(f"{variable.name} and {variable.name}_FILE are both set; set only one.")
    if raw or not file:
        return raw
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(f"{variable.name}_FILE names a file that cannot be read.")
        return ""
