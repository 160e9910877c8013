"""Teach Griffe that the parameters of a msgspec `Struct` are its attributes."""

from __future__ import annotations

from typing import Any

from griffe import (
    Attribute,
    Class,
    Expr,
    ExprCall,
    ExprKeyword,
    Extension,
    Function,
    Module,
    Parameter,
    Parameters,
)
from griffe import ParameterKind as Kind

__all__ = ["Structs"]


class Structs(Extension):
    """Adds the `__init__` of msgspec to each `Struct`."""

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Extend the structs of a package."""
        self._within(pkg)

    def _within(self, scope: Module | Class) -> None:
        for member in list(scope.members.values()):
            if isinstance(member, Class) and "__init__" not in member.members and _is_struct(member):
                own = Parameter("self", kind=Kind.positional_or_keyword)
                # Keyword-only parameters come after all others in Python.
                parameters = sorted(_parameters(member), key=lambda one: one.kind is Kind.keyword_only)
                member.set_member(
                    "__init__", Function("__init__", parameters=Parameters(own, *parameters), returns="None")
                )
            if isinstance(member, (Module, Class)):
                self._within(member)


def _is_struct(made: Class) -> bool:
    above = (base for each in (made, *made.mro()) for base in each.bases)
    return any(isinstance(base, Expr) and base.canonical_path == "msgspec.Struct" for base in above)


def _parameters(made: Class) -> list[Parameter]:
    found: dict[str, Parameter] = {}
    for each in (*reversed(made.mro()), made):
        by_name = each.keywords.get("kw_only") == "True"
        kind = Kind.keyword_only if by_name else Kind.positional_or_keyword
        for name, member in each.members.items():
            if isinstance(member, Attribute) and member.annotation is not None and _is_field(member):
                default = _default(member.value)
                found[name] = Parameter(name, annotation=member.annotation, kind=kind, default=default)
    return list(found.values())


def _is_field(member: Attribute) -> bool:
    labels = member.labels
    return "property" not in labels and ("class-attribute" not in labels or "instance-attribute" in labels)


def _default(value: str | Expr | None) -> str | Expr | None:
    """Return a default in plain Python: `dict()` for `field(default_factory=dict)`."""
    if isinstance(value, ExprCall) and value.canonical_path == "msgspec.field":
        for argument in value.arguments:
            if isinstance(argument, ExprKeyword) and argument.name == "default_factory":
                return f"{argument.value}()"
            if isinstance(argument, ExprKeyword) and argument.name == "default":
                return argument.value
    return value
