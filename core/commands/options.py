"""Words of a command: a parser whose complaint is one sentence, and options made from a dataclass."""

import argparse
from collections.abc import Callable
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, NoReturn, get_args, get_type_hints

Answer = dict[str, Any] | list[Any] | str
"""What a command says: plain data for JSON, or text as it is."""

Commands = Any
"""What :meth:`argparse.ArgumentParser.add_subparsers` gives; argparse has no public name for it."""


class Usage(Exception):
    """The command's words are off."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message[:1].upper() + message[1:] + ".")


def add_fields(
    parser: argparse.ArgumentParser,
    of: type[Any],
    without: frozenset[str] | set[str] = frozenset(),
    *,
    leave_out: bool = False,
) -> None:
    """Options from the fields of a dataclass, so that a new input is a new option by itself.

    With ``leave_out`` an option that is not given is None, whatever the default of its field.
    """
    hints = get_type_hints(of)
    for field in fields(of):
        if field.name in without:
            continue
        kind = hints[field.name]
        if isinstance(kind, UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        needed = field.default is MISSING
        options: dict[str, Any] = (
            {"required": True} if needed else {"default": None if leave_out else field.default}
        )
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options["type"] = kind
            options["metavar"] = kind.__name__.upper()
        parser.add_argument("--" + field.name.replace("_", "-"), **options)


def built(of: Callable[..., Any], chosen: argparse.Namespace, **more: Any) -> Any:
    """The dataclass ``of`` from what was given for its fields, and from ``more``."""
    known = {field.name for field in fields(of)}  # type: ignore[arg-type]
    return of(**{key: value for key, value in vars(chosen).items() if key in known}, **more)
