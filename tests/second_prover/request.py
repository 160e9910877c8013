"""The space of all requests over plain HTTP, as variables and constraints of z3."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import itertools
import re
from collections.abc import Sequence, Set
from fractions import Fraction
from typing import Any

import z3

from secure_bucket.policy import Request
from tests.second_prover.facts import (
    ACCOUNT,
    ACCOUNTS,
    ACTION_TABLE,
    MAYBE_TEMPORARY,
    Key,
    Kind,
    Type,
    key_of,
)
from tests.second_prover.logic import Formula, conj, disj, negate
from tests.second_prover.text import NO_COLON, NOT_COLON, Unsupported, literal, plain

try:
    import re._parser as parser
except ImportError:  # Python 3.10
    import sre_parse as parser

BUCKET = "arn:aws:s3:::example-bucket"
NOW = 1_800_000_000
# 1 November 2026: no request can be sent before AWS's documents were read for this.
READ = 1_793_491_200
"""A time after which requests will certainly be made: January 2027."""

# Six parts; the last may hold colons (*Amazon Resource Names*).
ARN = z3.Concat(
    z3.Re("arn:"),
    z3.Plus(NOT_COLON),
    z3.Re(":"),
    *([NO_COLON, z3.Re(":")] * 3),
    z3.Plus(z3.AllChar(z3.ReSort(z3.StringSort()))),
)


@functools.cache
def one_of(numbers: tuple[int, ...]) -> Formula:
    """Return that the action is one of some."""
    action = z3.Int("action")
    return disj(action == number for number in numbers)


@functools.cache
def regex_of(pattern: str) -> Any:
    """Return a regular expression of Python (classes, groups, repetition) as one of z3."""

    def sequence(items: Any) -> Any:
        parts = [item(*one) for one in items]
        return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re("")

    def item(kind: Any, value: Any) -> Any:
        name = str(kind)
        if name == "LITERAL":
            return z3.Re(literal(chr(value)))
        if name == "ANY":
            return z3.AllChar(z3.ReSort(z3.StringSort()))
        if name == "IN":
            options = [
                z3.Range(literal(chr(v[0])), literal(chr(v[1])))
                if str(k) == "RANGE"
                else z3.Re(literal(chr(v)))
                for k, v in value
            ]
            return z3.Union(*options) if len(options) > 1 else options[0]
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = value
            term = sequence(inner)
            if str(high) == "MAXREPEAT":
                return z3.Star(term) if low == 0 else z3.Plus(term)
            return z3.Loop(term, low, high)
        if name == "SUBPATTERN":
            return sequence(value[3])
        if name == "BRANCH":
            return z3.Union(*(sequence(one) for one in value[1]))
        raise AssertionError(name)

    return sequence(parser.parse(pattern))


_SERVICES = ("cloudtrail.amazonaws.com", "logging.s3.amazonaws.com", "delivery.logs.amazonaws.com")
_IDS = ("AAAAAAAAAAAAAAAAA", "BCDEFGHIJKLMNOPQR", "CKCEVSQ6C2EXAMPLE", "0123456789ABCDEFG")
_PEOPLE = ("root", "user/alice", "user/x/bob", "user/a", "role/app", "role/x/app", "role/r")
_PATH = "/([A-Za-z0-9:/-]+/)?"
IAM_NAME = "[A-Za-z0-9_+=,.@-]"
_ARNS = {
    Kind.USER: f"arn:aws:iam::{{account}}:user{{path}}{IAM_NAME}+",
    Kind.ROOT: "arn:aws:iam::{account}:root",
    Kind.SESSION: f"arn:aws:iam::{{account}}:role{{path}}{IAM_NAME}+",
    Kind.FEDERATED: f"arn:aws:sts::{{account}}:federated-user/{IAM_NAME}{IAM_NAME}+",
}


class Variables:
    """The variables of one condition key.

    Args:
        key: The key.
        size: Of how many values a multivalued key has to be made of at most.
    """

    def __init__(self, key: Key, size: int) -> None:
        self.key = key
        name = key.name
        self.present = z3.Bool(f"{name}?")
        self.used: list[Any] = []
        self.value: Any = None
        self.family = self.wide_address = None
        match key.type:
            case Type.STRING | Type.ARN:
                self.values = [z3.String(f"{name}#{i}") for i in range(size if key.many else 1)]
                self.used = [z3.Bool(f"{name}#{i}?") for i in range(size)] if key.many else []
                self.value = self.values[0]
            case Type.BOOL:
                self.value = z3.Bool(f"{name}=")
            case Type.NUMBER | Type.WHOLE | Type.DATE | Type.DATE_OR_NUMBER:
                self.value = z3.Real(f"{name}=")
            case Type.ADDRESS:
                self.family = z3.Bool(f"{name}:6")
                self.value = z3.BitVec(f"{name}:v4", 32)
                self.wide_address = z3.BitVec(f"{name}:v6", 128)


class Space:
    """All requests, as far as a policy can ask for them.

    `wide` holds every request that may exist, `narrow` only requests that certainly do: an
    `unsat` in the first and a `sat` in the second do not rest on what AWS leaves open.

    Args:
        mentioned: How many conditions there are on each key, by its name in lower case.
        valued: The keys of which a value matters, and not only whether they are there.
        accounts: The accounts that the policy names.
    """

    def __init__(self, mentioned: dict[str, int], valued: Set[str], accounts: Sequence[str] = ()) -> None:
        self.valued = valued
        self.services: list[str] = []
        self.arns: list[str] = []
        self.accounts = tuple(dict.fromkeys((*ACCOUNTS, *accounts)))
        self.kind = z3.Int("kind")
        self.action = z3.Int("action")
        self.unlisted = z3.String("unlisted")
        self.is_object = z3.Bool("object?")
        self.key = z3.String("key")
        self.account = z3.String("account")
        self.arn = z3.String("principal")
        self.name = z3.String("name")
        self.session = z3.String("session")
        self.service = z3.String("service")
        self.through_endpoint = z3.Bool("endpoint?")
        self.needs_name = self.needs_arn = self.needs_service = False
        names = {*mentioned, "aws:securetransport"}
        self.keys = {name: Variables(key_of(name), max(1, mentioned.get(name, 1))) for name in sorted(names)}

    @property
    def has_arn(self) -> bool:
        return self.needs_arn or self.needs_name or bool(self.valued & {"aws:principalarn", "aws:username"})

    def is_(self, *kinds: Kind) -> Formula:
        if len(kinds) == len(Kind):
            return True
        return disj(self.kind == int(kind) for kind in kinds)

    def _few(self) -> Formula:
        """Return that the request comes from one of a few principals: z3 finds one of them soonest."""
        named: list[Formula] = [self.is_(Kind.ANONYMOUS, Kind.SERVICE)]
        arns = [arn.replace("*", "x").replace("?", "q") for arn in self.arns]
        for account in self.accounts:
            arns += [f"arn:aws:iam::{account}:{name}" for name in _PEOPLE]
            arns.append(f"arn:aws:sts::{account}:federated-user/fed")
            arns += [re.sub(r"::[*?]+:", f"::{account}:", arn, count=1) for arn in self.arns]
        for arn in dict.fromkeys(arns):
            for kind, form in _ARNS.items():
                if re.fullmatch(form.format(account="[0-9]{12}", path=_PATH), arn):
                    parts = [self.kind == int(kind), self.arn == arn, self.account == arn[13:25]]
                    named.append(conj([*parts, self.name == arn.rpartition("/")[2]]))
        return disj(named)

    def constraints(
        self, *, narrow: bool, tls_absent: bool | None = None, few: bool = False
    ) -> list[Formula]:
        """Return the constraints of a space; `tls_absent` chooses a world for `s3:TlsVersion`."""
        found = [*self._request(narrow), *self._principal(narrow, few)]
        for variables in self.keys.values():
            found += self._key(variables, narrow)
        found += self._links(narrow)
        tls = self.keys.get("s3:tlsversion")
        if tls is not None and tls_absent is not None:
            found.append(tls.present == (not tls_absent))
        return [one for one in found if one is not True]

    def _request(self, narrow: bool) -> list[Formula]:
        some = [i for i, act in enumerate(ACTION_TABLE) if not (narrow and act.doubtful)]
        on_bucket = one_of(tuple(i for i in some if ACTION_TABLE[i].on_bucket))
        on_object = one_of(tuple(i for i in some if ACTION_TABLE[i].on_object))
        if narrow:
            listed = z3.If(self.is_object, on_object, on_bucket)
            return [listed, self.unlisted == literal(""), self.key != literal("")]
        # An action that is not yet listed: nobody can know it.
        new = self.action == len(ACTION_TABLE)
        return [
            disj([new, z3.If(self.is_object, on_object, on_bucket)]),
            z3.InRe(self.unlisted, regex_of("s3:[a-z0-9]+")),
            self.key != literal(""),
        ]

    def _principal(self, narrow: bool, few: bool) -> list[Formula]:
        found: list[Formula] = [self.kind >= 0, self.kind <= 5]
        if narrow and not all(name in _SERVICES_HAVE for name in self.keys):
            found.append(self.kind != int(Kind.SERVICE))
        if (
            self.needs_service
            or "aws:principalservicename" in self.keys
            or "aws:principalservicenameslist" in self.keys
        ):
            name = z3.InRe(self.service, regex_of("[a-z0-9.-]+\\.amazonaws\\.com"))
            if narrow:
                name = disj(self.service == one for one in (*_SERVICES, *self.services))
            found.append(name)
        if self.needs_name:
            found.append(z3.InRe(self.session, regex_of(f"{IAM_NAME}{{2}}{IAM_NAME}*")))
        # The longest names (64 characters, 2,048 with the path) are not looked at: they make z3 slow.
        account, path = "[0-9]{12}", "/([!-~]+/)?"
        if narrow:
            account = f"({'|'.join(self.accounts)})"
            path = _PATH
        if not self.has_arn:
            found.append(
                disj(self.account == one for one in self.accounts)
                if narrow
                else z3.InRe(self.account, regex_of(account))
            )
            return found
        if few:
            return [*found, self._few()]
        for kind, form in _ARNS.items():
            whole = regex_of(form.format(account=account, path=path))
            found.append(z3.Implies(self.is_(kind), z3.InRe(self.arn, whole)))
        found.append(z3.Implies(self.is_(*_ARNS), self.account == z3.SubString(self.arn, 13, 12)))
        if self.needs_name or "aws:username" in self.valued:
            front = z3.String("front")
            named = self.is_(Kind.USER, Kind.SESSION)
            found.append(z3.Implies(named, self.arn == z3.Concat(front, literal("/"), self.name)))
            found.append(z3.InRe(self.name, regex_of(f"{IAM_NAME}+")))
        return found

    def _key(self, one: Variables, narrow: bool) -> list[Formula]:
        key = one.key
        found: list[Formula] = []
        allowed = key.kinds
        if narrow and key.name.startswith("aws:principaltag/"):
            allowed = frozenset({Kind.USER, Kind.SESSION})
        if narrow and key.form == "never":
            return [negate(one.present)]
        always = key.usually if narrow and key.usually is not None else key.always
        found.append(z3.Implies(one.present, self.is_(*allowed | (always if not narrow else set()))))
        if always:
            found.append(z3.Implies(self.is_(*always), one.present))
        if not key.known:
            return found
        found += self._by_action(one, narrow)
        text = key.type in (Type.STRING, Type.ARN) and not key.many
        if text and not _may_be_empty(key.name):
            found.append(z3.Implies(one.present, one.value != literal("")))
        if key.name not in self.valued:
            return found
        match key.type:
            case Type.STRING | Type.ARN if key.many:
                found += self._many(one, narrow)
            case Type.STRING | Type.ARN:
                form = "|".join(self.accounts) if key.form == ACCOUNT else key.form
                if narrow and form is not None and not set(form) & set("[(.*+\\"):
                    found.append(z3.Implies(one.present, disj(one.value == text for text in form.split("|"))))
                elif narrow and form is not None:
                    found.append(z3.Implies(one.present, z3.InRe(one.value, regex_of(form))))
                if key.type is Type.ARN and not narrow:
                    found.append(z3.InRe(one.value, ARN))
            case Type.WHOLE:
                found += [z3.IsInt(one.value), one.value >= 0]
                if narrow:
                    found.append(one.value <= 2_147_483_647)
            case Type.NUMBER:
                found.append(one.value >= 0)
                if narrow:
                    found.append(disj(one.value == z3.RealVal(v) for v in ("1", "2", "11/10")))
            case Type.DATE | Type.DATE_OR_NUMBER:
                # A year has four digits, and the longest retention of Object Lock is a hundred years.
                found.append(one.value <= LAST)
                if narrow:
                    low = NOW if key.name in ("aws:currenttime", "aws:epochtime") else NOW - 3600
                    found += [z3.IsInt(one.value), one.value >= low]
            case Type.ADDRESS:
                if narrow:
                    found += self._addresses(one)
            case _:
                pass
        return found

    def _by_action(self, one: Variables, narrow: bool) -> list[Formula]:
        name = one.key.name
        stem = name.split("/")[0] + "/" if "/" in name else name
        by_action = name.startswith("s3:") or stem in ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")
        if not by_action or name in ("s3:tlsversion", "s3:resourceaccount"):
            return []
        if not narrow and not name.startswith("s3:"):
            return []
        carriers = tuple(i for i, act in enumerate(ACTION_TABLE) if stem in act.keys)
        return [z3.Implies(one.present, one_of(carriers))]

    def _many(self, one: Variables, narrow: bool) -> list[Formula]:
        # Tags, paths and names of services are never empty.
        found: list[Formula] = [value != literal("") for value in one.values]
        if narrow:
            found.append(z3.Implies(one.present, disj(one.used)))
            form = regex_of(one.key.form or "[a-z]+")
            alone = one.key.name in _ONE_VALUE
            found += [z3.InRe(value, form) for value in (one.values[:1] if alone else one.values)]
            found += [negate(used) for used in one.used[1:] if alone]
        return found

    def _addresses(self, one: Variables) -> list[Formula]:
        v4 = [_in_range(one.value, ipaddress.ip_network(net)) for net in _NOT_PUBLIC if ":" not in net]
        inside = _in_range(one.wide_address, ipaddress.ip_network("2000::/3"))
        mapped = _in_range(one.wide_address, ipaddress.ip_network("2001:db8::/32"))
        if one.key.name == "aws:ec2instancesourceprivateipv4":
            return [negate(one.family), _in_range(one.value, ipaddress.ip_network("10.0.0.0/8"))]
        if one.key.name == "aws:vpcsourceip":
            return [negate(one.family), _in_range(one.value, ipaddress.ip_network("10.0.0.0/8"))]
        return [z3.If(one.family, conj([inside, negate(mapped)]), negate(disj(v4)))]

    def _links(self, narrow: bool) -> list[Formula]:
        get = self.keys.get
        found: list[Formula] = [negate(self.keys["aws:securetransport"].value)]
        kind = self.kind

        def when(name: str, condition: Formula, value: Any) -> None:
            one = get(name)
            if one is not None:
                found.append(z3.Implies(condition, one.value == value))

        anonymous = self.is_(Kind.ANONYMOUS)
        iam = self.is_(*MAYBE_TEMPORARY)
        when("aws:principalaccount", anonymous, literal("anonymous"))
        when("aws:principalaccount", iam, self.account)
        if self.has_arn:
            when("aws:principalarn", iam, self.arn)
        types = ("Anonymous", "User", "Account", "AssumedRole", "FederatedUser")
        for number, word in enumerate(types):
            when("aws:principaltype", kind == number, literal(word))
        when("aws:userid", anonymous, literal("anonymous"))
        when("aws:userid", self.is_(Kind.ROOT), self.account)
        if "aws:username" in self.valued:
            when("aws:username", True, self.name)
        when("aws:principalisawsservice", True, kind == int(Kind.SERVICE))
        when("aws:principalservicename", True, self.service)
        userid = get("aws:userid")
        if userid is not None and "aws:userid" in self.valued:
            ids = [f"({'|'.join(kind + tail for tail in _IDS)})" for kind in ("AIDA", "AROA")]
            user, role = ids if narrow else ["[A-Za-z0-9_]+"] * 2
            account = f"({'|'.join(self.accounts)})" if narrow else "[0-9]{12}"
            forms = {
                Kind.USER: user,
                Kind.SESSION: f"{role}:{IAM_NAME}{{2}}{IAM_NAME}*",
                Kind.FEDERATED: f"{account}:{IAM_NAME}{{2}}{IAM_NAME}*",
            }
            for who, form in forms.items():
                found.append(z3.Implies(self.is_(who), z3.InRe(userid.value, regex_of(form))))
            found.append(
                z3.Implies(self.is_(Kind.FEDERATED), z3.SubString(userid.value, 0, 12) == self.account)
            )
            if self.needs_name:
                after = z3.Concat(literal(":"), self.session)
                found.append(z3.Implies(self.is_(Kind.SESSION), z3.SuffixOf(after, userid.value)))
            if self.has_arn:
                name = z3.SubString(userid.value, 13, z3.Length(userid.value) - 13)
                whole = z3.Concat(literal("arn:aws:sts::"), self.account, literal(":federated-user/"), name)
                found.append(z3.Implies(self.is_(Kind.FEDERATED), self.arn == whole))
        tls = get("s3:tlsversion")
        if tls is not None:
            found.append(tls.value < z3.RealVal("6/5"))
            if narrow:
                found.append(disj(tls.value == z3.RealVal(v) for v in ("1", "11/10")))
        time, epoch = get("aws:currenttime"), get("aws:epochtime")
        clocks = [one.value for one in (time, epoch) if one is not None]
        found += [limit for value in clocks for limit in (value >= READ, value <= LAST)]
        if time is not None and epoch is not None:
            found.append(time.value == epoch.value)
        if narrow:
            found += self._narrow_links()
        else:
            source = get("aws:sourceip")
            if source is not None:
                found.append(z3.Implies(source.present, negate(self.through_endpoint)))
                service = disj([kind == int(Kind.SERVICE)])
                via = get("aws:viaawsservice")
                redacted = disj([service, via.value if via is not None else z3.Bool("via?")])
                found.append(disj([source.present, self.through_endpoint, redacted]))
            for name in _ENDPOINT:
                one = get(name)
                if one is not None:
                    found.append(z3.Implies(one.present, self.through_endpoint))
        return found

    def _narrow_links(self) -> list[Formula]:
        get = self.keys.get
        found: list[Formula] = []
        for name in _ENDPOINT:
            one = get(name)
            if one is not None and "org" in name:
                found.append(z3.Implies(one.present, self.through_endpoint))
            elif one is not None:
                found.append(one.present == self.through_endpoint)
        source = get("aws:sourceip")
        if source is not None:
            found.append(source.present == negate(self.through_endpoint))
        for stem in ("principal", "resource", "vpce", "source"):
            org, paths = get(f"aws:{stem}orgid"), get(f"aws:{stem}orgpaths")
            if org is not None and paths is not None:
                found.append(org.present == paths.present)
                if {org.key.name, paths.key.name} <= self.valued:
                    same = z3.PrefixOf(z3.Concat(org.value, literal("/")), paths.values[0])
                    found.append(z3.Implies(org.present, same))
        time, epoch = get("aws:currenttime"), get("aws:epochtime")
        issued = get("aws:tokenissuetime")
        if issued is not None and time is not None:
            found += [issued.value <= time.value, issued.value >= time.value - 3600]
        elif issued is not None and epoch is not None:
            found += [issued.value <= epoch.value, issued.value >= epoch.value - 3600]
        mfa, age = get("aws:multifactorauthpresent"), get("aws:multifactorauthage")
        temporary = issued.present if issued is not None else z3.Bool("temporary?")
        for one in (mfa, age):
            if one is not None:
                found.append(z3.Implies(one.present, temporary))
                found.append(z3.Implies(one.present, negate(self.is_(Kind.FEDERATED))))
        if mfa is not None and age is not None:
            found.append(age.present == conj([mfa.present, mfa.value]))
        elif age is not None:
            found.append(age.value <= 100_000)
        via = get("aws:viaawsservice")
        chain = [one for name in _CHAIN if (one := get(name)) is not None]
        forwarded = via.value if via is not None else z3.Bool("via?")
        found += [one.present == forwarded for one in chain]
        if via is not None or chain:
            found.append(z3.Implies(forwarded, self.is_(Kind.USER, Kind.SESSION)))
            found.append(z3.Implies(forwarded, negate(self.through_endpoint)))
            if source is not None:
                found.append(negate(forwarded))
        for first, second in itertools.pairwise(chain):
            found.append(first.value == second.value)
        for name, other in _SAME_SESSION:
            one, two = get(name), get(other)
            if one is not None and two is not None:
                found.append(one.present == two.present)
        for stem, listing in (
            ("aws:requesttag/", "aws:tagkeys"),
            ("s3:requestobjecttag/", "s3:requestobjecttagkeys"),
        ):
            keys = get(listing)
            for name, one in self.keys.items() if keys is not None else ():
                if name.startswith(stem):
                    pairs = zip(keys.values, keys.used, strict=True)
                    tag = literal(name.removeprefix(stem))
                    listed = disj(conj([keys.present, used, value == tag]) for value, used in pairs)
                    found.append(one.present == listed)
        days = get("s3:object-lock-remaining-retention-days")
        if days is not None:
            found.append(days.value <= 36_500)
        names = get("aws:principalservicenameslist")
        if names is not None:
            found.append(names.values[0] == self.service)
            found.append(z3.Implies(names.present, names.used[0]))
        for name in ("s3:authtype", "s3:signatureversion", "s3:signatureage", "s3:x-amz-content-sha256"):
            one = get(name)
            if one is not None:
                found.append(self.is_(Kind.USER, Kind.SESSION, Kind.ROOT, Kind.FEDERATED))
        authtype, signature_age = get("s3:authtype"), get("s3:signatureage")
        if authtype is not None:
            found.append(authtype.present)
        if signature_age is not None:
            found += [signature_age.present, signature_age.value <= 600_000_000]
        account, s3_account = get("aws:resourceaccount"), get("s3:resourceaccount")
        if account is not None and s3_account is not None:
            found.append(account.value == s3_account.value)
        return found

    def request(self, model: Any) -> Request:
        """Return the request of a model."""

        def text(term: Any) -> str:
            return plain(model.eval(term, model_completion=True))

        def true(term: Any) -> bool:
            return term if isinstance(term, bool) else z3.is_true(model.eval(term, model_completion=True))

        kind = Kind(model.eval(self.kind, model_completion=True).as_long())
        arn, session = text(self.arn), text(self.session)
        userid = self.keys.get("aws:userid")
        if not self.has_arn:
            account = text(self.account)
            names = {Kind.USER: "user/alice", Kind.ROOT: "root", Kind.SESSION: "role/app"}
            arn = f"arn:aws:iam::{account}:{names.get(kind, '')}"
            if kind is Kind.FEDERATED:
                name = "fed" if userid is None else text(userid.value)[13:]
                arn = f"arn:aws:sts::{account}:federated-user/{name}"
        if not self.needs_name:
            session = "session" if userid is None else text(userid.value).partition(":")[2]
        principal = {Kind.ANONYMOUS: "anonymous", Kind.SERVICE: text(self.service)}.get(kind, arn)
        if kind is Kind.SESSION:
            role = arn.rpartition("/")[2]
            principal = f"arn:aws:sts::{arn[13:25]}:assumed-role/{role}/{session}"
        context: dict[str, str | Sequence[str]] = _base(kind, arn)
        for name, one in self.keys.items():
            if not true(one.present):
                context.pop(name, None)
                continue
            if one.key.many:
                pairs = zip(one.values, one.used, strict=True)
                context[name] = sorted({text(value) for value, used in pairs if true(used)})
                continue
            match one.key.type:
                case Type.STRING | Type.ARN:
                    context[name] = text(one.value)
                case Type.BOOL:
                    context[name] = "true" if true(one.value) else "false"
                case Type.NUMBER | Type.WHOLE:
                    context[name] = _decimal(model.eval(one.value, model_completion=True).as_fraction())
                case Type.DATE_OR_NUMBER:
                    context[name] = _decimal(model.eval(one.value, model_completion=True).as_fraction())
                case Type.DATE:
                    context[name] = _date(model.eval(one.value, model_completion=True).as_fraction())
                case Type.ADDRESS if true(one.family):
                    number = model.eval(one.wide_address, model_completion=True).as_long()
                    context[name] = str(ipaddress.IPv6Address(number))
                case Type.ADDRESS:
                    number = model.eval(one.value, model_completion=True).as_long()
                    context[name] = str(ipaddress.IPv4Address(number))
        if any(name in context for name in _ENDPOINT):
            context.pop("aws:sourceip", None)
        act = ACTION_TABLE[model.eval(self.action, model_completion=True).as_long()]
        key = text(self.key)
        # The limits of a key (AWS: "up to 1,024 bytes of UTF-8") are looked at here: they make z3 slow.
        if any(0xD800 <= ord(char) < 0xE000 for char in key) or len(key.encode()) > 1024:
            raise Unsupported("the model has no key that S3 accepts")
        resource = f"{BUCKET}/{key}" if true(self.is_object) else BUCKET
        return Request(principal, act.name, resource, context)

    def pin(self, request: Request) -> Formula:
        """Return that a request is this one, as far as the policy asks; `False` if it cannot be one."""
        found: list[Formula] = []
        names = [act.name.lower() for act in ACTION_TABLE]
        if request.action.lower() not in names:
            return False
        found.append(self.action == names.index(request.action.lower()))
        found.append(self.is_object == (request.resource != BUCKET))
        if request.resource != BUCKET:
            if not request.resource.startswith(f"{BUCKET}/"):
                return False
            found.append(self.key == literal(request.resource[len(BUCKET) + 1 :]))
        context = {name.lower(): value for name, value in request.context.items()}
        found += self._pin_principal(request.principal, context)
        for name, one in self.keys.items():
            asked = context.get(name)
            found.append(one.present == (asked is not None))
            if asked is None:
                continue
            if one.key.many:
                values = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))
                found += [
                    disj(
                        conj([used, value == literal(text)])
                        for value, used in zip(one.values, one.used, strict=True)
                    )
                    for text in values
                ]
                any_of = [[value == literal(text) for text in values] for value in one.values]
                found += [z3.Implies(u, disj(e)) for u, e in zip(one.used, any_of, strict=True)]
                if len(values) > len(one.values):
                    raise Unsupported("more values than conditions")
                continue
            if not isinstance(asked, str):
                return False
            found.append(_pinned(one, asked))
        return conj(found)

    def _pin_principal(self, principal: str, context: dict[str, Any]) -> list[Formula]:
        if principal == "anonymous":
            return [self.is_(Kind.ANONYMOUS)]
        if not principal.startswith("arn:"):
            return [self.is_(Kind.SERVICE), self.service == literal(principal)]
        found: list[Formula] = [self.account == literal(principal[13:25])]
        named = re.fullmatch(r"arn:aws:sts::([0-9]{12}):assumed-role/([^/]+)/([^/]+)", principal)
        if named is not None:
            found += [self.is_(Kind.SESSION), self.session == literal(named[3])]
            role = context.get("aws:principalarn")
            if isinstance(role, str):
                return [*found, self.arn == literal(role), z3.BoolVal(role.endswith("/" + named[2]))]
            return [*found, z3.SuffixOf(literal(f"/{named[2]}"), self.arn)]
        kinds = {":user/": Kind.USER, ":root": Kind.ROOT, ":federated-user/": Kind.FEDERATED}
        for part, kind in {**kinds, ":role/": Kind.SESSION}.items():
            if part in principal:
                return [*found, self.is_(kind), self.arn == literal(principal)]
        return [False]


def _may_be_empty(name: str) -> bool:
    """Return whether a key can be present with an empty value: what callers write, headers and tags."""
    return (
        "tag/" in name
        or name in ("aws:referer", "aws:useragent")
        or (
            name.startswith("s3:")
            and name not in ("s3:authtype", "s3:signatureversion", "s3:resourceaccount")
        )
    )


_SERVICES_HAVE = {
    "aws:securetransport",
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:username",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:assumedroot",
    "aws:resourceaccount",
}
_ENDPOINT = (
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
)
LAST = 253_402_300_799
"""The last second of the year 9999, which is the last that the format of a date can name."""
_SAME_SESSION = (
    ("aws:calledviaawsmcp", "aws:viaawsmcpservice"),
    ("codebuild:buildarn", "codebuild:projectarn"),
    *(
        ("ec2:sourceinstancearn", name)
        for name in ("aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4", "ec2:roledelivery")
    ),
)
"""Keys that a service gives to a session together."""
_CHAIN = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
# Multivalued keys of which a request can certainly have one value.
_ONE_VALUE = frozenset(
    {"aws:calledvia", "aws:principalservicenameslist"}
    | {f"aws:{whose}orgpaths" for whose in ("principal", "resource", "source", "vpce")}
)
# RFC 6890: addresses that no request over the internet comes from.
_NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
)


def in_range(one: Variables, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Formula:
    """Return whether the address of a key is in a range."""
    if network.version == 4:
        return conj([negate(one.family), _in_range(one.value, network)])
    return conj([one.family, _in_range(one.wide_address, network)])


def _in_range(value: Any, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Formula:
    size = network.max_prefixlen
    if network.prefixlen == 0:
        return True
    shift = size - network.prefixlen
    return z3.Extract(size - 1, shift, value) == int(network.network_address) >> shift


def _pinned(one: Variables, asked: str) -> Formula:
    match one.key.type:
        case Type.STRING | Type.ARN:
            return one.value == literal(asked)
        case Type.BOOL:
            return one.value == (asked == "true") if asked in ("true", "false") else False
        case Type.NUMBER | Type.WHOLE | Type.DATE_OR_NUMBER:
            try:
                return one.value == z3.RealVal(str(Fraction(asked)))
            except ValueError:
                return False
        case Type.DATE:
            moment = read_date(asked)
            return False if moment is None else one.value == z3.RealVal(str(moment))
        case Type.ADDRESS:
            try:
                address = ipaddress.ip_address(asked)
            except ValueError:
                return False
            same = one.value if address.version == 4 else one.wide_address
            return conj([one.family == (address.version == 6), same == int(address)])


_DATE = re.compile(
    # AWS does not document in which zone a date without a time begins.
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


def read_date(text: str) -> Fraction | None:
    """Return the seconds since 1970 of a date: the W3C profile of ISO 8601, or a number of seconds."""
    if re.fullmatch("[0-9]+", text):
        # Four digits can be a year or a number of seconds.
        return Fraction(text) if len(text) != 4 and int(text) <= LAST else None
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime.datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            tzinfo=datetime.timezone.utc,
        )
    except ValueError:
        return None
    seconds = Fraction(
        int((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds())
    )
    if fraction:
        seconds += Fraction(int(fraction), 10 ** len(fraction))
    if zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += -offset if zone[0] == "+" else offset
    return seconds


def _date(moment: Fraction) -> str:
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    try:
        return (start + datetime.timedelta(seconds=float(moment))).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        raise Unsupported("a date after the year 9999") from None


def _decimal(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.6f}".rstrip("0")


def _base(kind: Kind, arn: str) -> dict[str, Any]:
    """Return the keys that every such request carries, so that a reader sees a whole request."""
    context: dict[str, Any] = {
        "aws:securetransport": "false",
        "aws:currenttime": "2027-03-01T12:00:00Z",
        "aws:epochtime": "1803902400",
        "aws:viaawsservice": "false",
        "aws:useragent": "curl/8",
        "aws:sourceip": "8.8.8.8",
        "aws:requestedregion": "us-east-1",
        "aws:resourceaccount": "111122223333",
        "s3:resourceaccount": "111122223333",
    }
    match kind:
        case Kind.ANONYMOUS:
            who = {"account": "anonymous", "type": "Anonymous"}
        case Kind.SERVICE:
            return context | {"aws:principalisawsservice": "true"}
        case _:
            who = {"account": arn[13:25], "arn": arn, "isawsservice": "false"}
            who["type"] = ("", "User", "Account", "AssumedRole", "FederatedUser")[kind]
            if kind is Kind.USER:
                context["aws:username"] = arn.rpartition("/")[2]
    return context | {f"aws:principal{name}": value for name, value in who.items()}
