"""Prepare a Deny statement to be compared."""

from __future__ import annotations

from collections.abc import Container, Iterator

from msgspec import Struct

from secure_bucket.policy.document import Statement
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.clauses import Clause, compile_actions, compile_resources
from secure_bucket.proof.comparison import Comparison
from secure_bucket.proof.conditions import compile_comparison
from secure_bucket.proof.principal_matching import Addressees, compile_principals
from secure_bucket.values.unknown import Hole, Unknown

__all__ = ["CompiledDeny", "compile_deny"]


class CompiledDeny(Struct, frozen=True):
    """A Deny statement, ready to be compared.

    Args:
        statement: The original statement.
        addressees: Its `Principal` or `NotPrincipal` element.
        actions: Its `Action` or `NotAction` element.
        resources: Its `Resource` or `NotResource` element.
        comparisons: Its conditions.
        unknown: An unknown condition, if it has one.
    """

    statement: Statement
    addressees: Addressees
    actions: Clause
    resources: Clause
    comparisons: tuple[Comparison, ...]
    unknown: Unknown | None = None

    @property
    def variables(self) -> Iterator[Variable]:
        """The policy variables in its conditions and resources."""
        for comparison in self.comparisons:
            yield from comparison.variables
        yield from self.resources.variables

    def hinges_on_absent(self, keys: Container[str]) -> bool:
        """Return whether it depends on undocumented behavior of a variable that is not one of these keys.

        For a negation that compares with a variable without a value, AWS documents both that the statement
        does not match and that the negation does.
        """
        negated = [
            one for comparison in self.comparisons if comparison.negated for one in comparison.variables
        ]
        if self.resources.negated:
            negated.extend(self.resources.variables)
        doubtful = (
            one for one in self.variables if one.has_wild_default or (one in negated and one.default is None)
        )
        return any(one.key not in keys for one in doubtful)


def compile_deny(statement: Statement, version: str, own: Container[Hole] = ()) -> CompiledDeny:
    """Prepare a statement of a policy.

    Args:
        statement: The statement.
        version: The version of the policy language.
        own: The holes in the name of the bucket, in which no policy variable can be.
    """
    variables = version == "2012-10-17"
    comparisons = []
    unknown = None
    for condition in statement.conditions:
        if isinstance(condition, Unknown):
            unknown = condition
        else:
            comparisons.append(compile_comparison(condition, variables=variables, own=own))
    actions = compile_actions(statement.actions, statement.at)
    resources = compile_resources(statement.resources, statement.at, variables=variables, own=own)
    addressees = compile_principals(statement.principals)
    return CompiledDeny(statement, addressees, actions, resources, tuple(comparisons), unknown)
