"""List the buckets and bucket policies of an assembly, and resources that may hide some."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from secure_bucket.template.buckets import Bucket, BucketPolicy, NotApplicable, Receiver, Unread
from secure_bucket.template.intrinsics import FUNCTIONS
from secure_bucket.template.load import Document
from secure_bucket.template.loops import write_out_loop
from secure_bucket.template.references import bucket_name
from secure_bucket.template.resolve import Assembly, Resolver
from secure_bucket.template.resource_types import kind_of, matters
from secure_bucket.template.stack import TRANSFORM, Path, Resource, Stack, is_loop, pointer_of
from secure_bucket.template.text import holes, strings_of
from secure_bucket.template.unreplaced import unreplaced_whole
from secure_bucket.template.worlds import PARTITION, URL_SUFFIXES, Fork, Infeasible, Undecidable, World
from secure_bucket.values.unknown import Place, Text, Unknown

__all__ = ["Inventory", "names_partition"]

_HTTPS_ONLY = {
    "AWS::S3::AccessPoint": "an access point answers over HTTPS only",
    "AWS::S3::MultiRegionAccessPoint": "a Multi-Region access point answers over HTTPS only",
    "AWS::S3Express::AccessPoint": "an access point answers over HTTPS only",
    "AWS::S3Express::DirectoryBucket": "a directory bucket answers over HTTPS only",
    "AWS::S3ObjectLambda::AccessPoint": "an Object Lambda access point answers over HTTPS only",
    "AWS::S3Tables::TableBucket": "a table bucket answers over HTTPS only",
}
_BY_A_MACRO = "a macro rewrites it, which runs only at deployment"
_OUT_OF_SCOPE = ("AWS::Lightsail::Bucket", "AWS::S3Outposts::Bucket", "AWS::S3Vectors::VectorBucket")
_OTHER_PARTITIONS = (
    *("aws-cn", "aws-eusc", "aws-iso", "cn-north", "eu-isoe", "eusc-", "us-gov", "us-iso"),
    *(suffix for suffix in set(URL_SUFFIXES.values()) if suffix != "amazonaws.com"),
)
_PSEUDO_PARAMETERS = ("AWS::Partition", "AWS::URLSuffix")
_DEPLOYING = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")


class Inventory(Struct, eq=False):
    """The parts of an assembly that concern S3 buckets.

    Args:
        assembly: The stacks.
        buckets: Their buckets.
        policies: Their bucket policies.
        loose: The policies among them that do not name a bucket of their stack by a plain `Ref`.
        not_applicable: Resources that are like a bucket, but out of scope.
        unread: Unread templates that may contain a bucket.
        direct: The policies with a plain `Ref` to a bucket, by the `id` of its resource.
        receivers: Resources that may contain a policy and are not read with their stack.
        start: The world to start with.
        passed: The values that each receiver gets and that may name a bucket, by the `id`s of both.
    """

    assembly: Assembly
    buckets: list[Bucket] = field(default_factory=list)
    policies: list[BucketPolicy] = field(default_factory=list)
    not_applicable: list[NotApplicable] = field(default_factory=list)
    direct: dict[int, list[BucketPolicy]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    loose: list[BucketPolicy] = field(default_factory=list)
    receivers: list[Receiver] = field(default_factory=list)
    start: World = field(default_factory=World)
    passed: dict[tuple[int, int], Sequence[tuple[object, Path]]] = field(default_factory=dict)
    _first: Resolver | None = None
    _names: dict[str | Text, list[Bucket]] | None = None
    _of_stack: dict[int, list[Bucket]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not any(_names_partitions(stack.document) for stack in self.assembly.stacks):
            self.start = World(values={PARTITION: "aws"}, assumes_partition=True)
        for stack in self.assembly.stacks:
            self._write_out_loops(stack)
        for stack in self.assembly.stacks:
            for resource in stack.resources.values():
                self._take(stack, resource)
        for stack in self.assembly.stacks:
            self._suspect_macros(stack)

    def resolver(self, world: World, expand: bool) -> Resolver:
        """Return a resolver for the values of templates in a world."""
        if world is self.start and not expand:
            # Shared between questions, so values without a fork are resolved once.
            if self._first is None:
                self._first = Resolver(self.assembly, world, FUNCTIONS)
            return self._first
        return Resolver(self.assembly, world, FUNCTIONS, expand=expand)

    def names(self) -> Mapping[str | Text, Sequence[Bucket]]:
        """Return the buckets by their names, if these are the same in every world."""
        if self._names is None:
            self._names = {}
            resolver = self.resolver(self.start, False)
            for bucket in self.buckets:
                with contextlib.suppress(Fork, Infeasible, Undecidable):
                    name = bucket_name(resolver, bucket.stack, bucket.resource)
                    self._names.setdefault(name, []).append(bucket)
        return self._names

    def buckets_of(self, stack: Stack) -> Sequence[Bucket]:
        """Return the buckets of a top-level stack and of its nested stacks."""
        if not self._of_stack:
            for bucket in self.buckets:
                self._of_stack.setdefault(id(bucket.stack.outermost), []).append(bucket)
        return self._of_stack.get(id(stack), ())

    def _write_out_loops(self, stack: Stack) -> None:
        resources = stack.document.root.get("Resources")
        loops = [key for key in resources if is_loop(key)] if isinstance(resources, Mapping) else []
        for section in ("Conditions", "Outputs"):
            loops += [key for key in stack.sections[section] if is_loop(key)]
        if not loops:
            return
        resolver = self.resolver(self.start, False)
        for section in ("Conditions", "Outputs", "Resources"):
            members = resources if section == "Resources" else stack.sections[section]
            written_out: dict[str, object] = {}
            for key, body in members.items() if isinstance(members, Mapping) else ():
                path = (("", section), key)
                if not is_loop(key):
                    written_out[key] = body
                    continue
                stack.resources.pop(str(key), None)
                members_written = write_out_loop(resolver, stack, body, path)
                if members_written is None:
                    self._unreadable_loop(stack, str(key), body, path)
                for each in members_written or ():
                    if each.key == TRANSFORM and section == "Resources":
                        self._suspect(stack, Resource(str(key), "", {}, path), "the loop", _BY_A_MACRO)
                        continue
                    first = written_out.get(each.key, each.body)
                    written_out[each.key] = each.body
                    if section != "Resources":
                        if first != each.body:
                            written_out[each.key] = Unknown(f"loops write `{each.key}` twice")
                    elif each.key not in stack.resources:
                        stack.add(each.key, each.body, each.path, each.members)
                    elif _matters(each.body) or _matters(stack.resources[each.key].body):
                        reason = f"a loop writes `{each.key}` a second time"
                        self._leave_unread(stack, each.key, "the loop", reason, each.path)
            if section != "Resources":
                stack.sections[section] = written_out

    def _unreadable_loop(self, stack: Stack, key: str, body: object, path: Path) -> None:
        reason = "it is malformed, or comes to too many resources or combinations of parameters"
        types = [each if isinstance(each, str) and "{" not in each else TRANSFORM for each in _types_in(body)]
        is_open = TRANSFORM in types
        if is_open or any("AWS::S3::Bucket" in each or kind_of(each) for each in types):
            self._leave_unread(stack, key, "the loop", reason, path)
        if is_open or "AWS::S3::BucketPolicy" in types:
            why = f"a policy may come out of the loop `{key}`: {reason}"
            self.receivers.append(Receiver(stack, Resource(key, "", {}, path), path, why, gets_all=True))

    def _suspect_macros(self, stack: Stack) -> None:
        """Note resources that a macro may turn into buckets; buckets in its input are undecided
        themselves."""
        for resource in stack.resources.values():
            if TRANSFORM in resource.body:
                self._leave_unread(stack, resource.logical_id, "the resource", _BY_A_MACRO, resource.path)
        if stack.macros:
            section = "Transform" if "Transform" in stack.document.root else "Resources"
            reason = f"the macro `{stack.macros[0]}` rewrites it, and runs only at deployment"
            self._leave_unread(stack, "Transform", "the template", reason, ("", section))
        elif any(bucket.stack is stack for bucket in self.buckets):
            return
        elif (open_section := unreplaced_whole(stack.document.text, stack.document.root)) is not None:
            self._leave_unread(stack, "Resources", "the template", open_section.reason, ("", "Resources"))

    def _leave_unread(self, stack: Stack, logical_id: str, what: str, why: str, path: Path) -> None:
        unknown = Unknown(why, Place(pointer_of(path), stack.document.name))
        if not any(each.stack is stack and each.logical_id == logical_id for each in self.unread):
            self.unread.append(Unread(stack, logical_id, what, unknown))

    def _suspect(self, stack: Stack, resource: Resource, what: str, reason: str) -> None:
        """Note that a resource may create buckets, and policies for any bucket of the stack."""
        self._leave_unread(stack, resource.logical_id, what, reason, resource.path)
        why = f"a policy may come out of {what} `{resource.logical_id}`: {reason}"
        self.receivers.append(Receiver(stack, resource, resource.path, why, gets_all=True))

    def _unknown_type(self, stack: Stack, resource: Resource) -> str:
        """Return why the type of a resource is unknown; `""` if it is known."""
        written = resource.body.get("Type")
        if isinstance(written, (Mapping, list)):
            return "its `Type` is not text"
        if not resource.type:
            functions = [key for key in (resource.logical_id, *resource.body) if str(key).startswith("Fn::")]
            if functions and TRANSFORM not in functions:
                return f"`{functions[0]}` is not a function that makes resources"
        kind = self.resolver(self.start, False).literal(stack, resource.type)
        return "" if isinstance(kind, str) else holes(kind)[0].reason

    def _take(self, stack: Stack, resource: Resource) -> None:
        if unknown := self._unknown_type(stack, resource):
            self._suspect(stack, resource, "the resource", unknown)
        elif resource.type == "AWS::S3::Bucket":
            self.buckets.append(Bucket(stack, resource))
        elif resource.type == "AWS::S3::BucketPolicy":
            policy = BucketPolicy(stack, resource)
            self.policies.append(policy)
            target = resource.properties.get("Bucket") if isinstance(resource.properties, Mapping) else None
            named = target.get("Ref") if isinstance(target, Mapping) and len(target) == 1 else None
            # INVARIANT: a `Ref` to a name that a parameter also has may not mean the resource.
            owner = None
            if isinstance(named, str) and named not in stack.parameters:
                owner = stack.resources.get(named)
            if owner is not None and owner.type == "AWS::S3::Bucket":
                self.direct.setdefault(id(owner), []).append(policy)
            else:
                self.loose.append(policy)
        elif resource.type in _HTTPS_ONLY:
            self.not_applicable.append(NotApplicable(stack, resource, _HTTPS_ONLY[resource.type]))
        elif kind := kind_of(resource.type):
            if resource.logical_id not in stack.nested:
                why = f"a policy may come out of the {kind}"
                self.receivers.append(Receiver(stack, resource, resource.path, why))
            if reason := stack.found.get(resource.logical_id, "a loop makes it"):
                what = f"the template of the {kind}"
                self._leave_unread(stack, resource.logical_id, what, reason, resource.path)
        elif resource.type in _OUT_OF_SCOPE:
            why = f"`{resource.type}` is out of scope: AWS does not state whether it answers over plain HTTP"
            self.not_applicable.append(NotApplicable(stack, resource, why))


def names_partition(document: Document, *names: str) -> bool:
    """Tell whether the text of a template contains one of these partition names."""
    texts = [document.text] if document.text else strings_of(document.root)
    return any(name in text for text in texts for name in names)


def _names_partitions(document: Document) -> bool:
    """Tell whether the partition can matter for a template."""
    if names_partition(document, *_OTHER_PARTITIONS):
        return True
    # A template can use the partition in parts, or compare it elsewhere, without a name of another one.
    conditions = strings_of(document.root.get("Conditions"))
    return names_partition(document, *_PSEUDO_PARAMETERS) and (
        names_partition(document, "FindInMap", "Split", *_DEPLOYING)
        or any(name in text for text in conditions for name in _PSEUDO_PARAMETERS)
        or _has_partition(document.root.get("Resources"))
    )


def _has_partition(value: object, before: object = "") -> bool:
    """Tell whether a bucket or its policy has the partition elsewhere than at the beginning of an ARN."""
    if isinstance(value, str):
        return any(name in value.replace("arn:${AWS::Partition}:", "") for name in _PSEUDO_PARAMETERS)
    if isinstance(value, Mapping):
        kind = value.get("Type")
        if isinstance(kind, str) and "::" in kind and not kind.startswith("AWS::S3::Bucket"):
            return False
        is_of_arn = isinstance(before, str) and (before == "arn" or before.endswith("arn:"))
        return not (is_of_arn and value == {"Ref": "AWS::Partition"}) and any(
            map(_has_partition, value.values())
        )
    if isinstance(value, list):
        return any(map(_has_partition, value, ["", *value]))
    return False


def _matters(body: object) -> bool:
    kind = body.get("Type") if isinstance(body, Mapping) else None
    return isinstance(kind, str) and matters(kind)


def _types_in(value: object) -> Iterator[object]:
    """Yield the value of each key `Type` in a value, and each macro."""
    pending, visited = [value], {id(value)}
    while pending:
        current = pending.pop()
        members: Iterable[object] = ()
        if isinstance(current, Mapping):
            members = current.values()
            if "Type" in current:
                yield current["Type"]
            if TRANSFORM in current:
                yield TRANSFORM
        elif isinstance(current, (list, tuple)):
            members = current
        for member in members:
            if id(member) not in visited:
                visited.add(id(member))
                pending.append(member)
