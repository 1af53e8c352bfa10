"""The rights that the program needs at a broker that asks for them. A test runs it with these and no others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Resource(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"


class Right(StrEnum):
    """What may be done, by Kafka's own names. Read and Write include Describe."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE_CONFIGS = "DescribeConfigs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """One line of the list."""

    resource: Resource
    name: str
    right: Right
    why: str


def rights_to_run(*, read: Collection[str], written: Collection[str], group: str) -> Sequence[Acl]:
    """List what `booked run`, `booked replay` and the other commands need."""
    return [
        *(Acl(resource=Resource.TOPIC, name=name, right=Right.READ, why="orders are read") for name in sorted(read)),
        *(Acl(resource=Resource.TOPIC, name=name, right=Right.WRITE, why="we answer") for name in sorted(written)),
        Acl(resource=Resource.GROUP, name=group, right=Right.READ, why="the processes share the partitions"),
    ]


def rights_to_make(topics: Collection[str]) -> Sequence[Acl]:
    """List what `booked doctor --create-topics` needs besides; nobody else does."""
    return [
        Acl(resource=Resource.TOPIC, name=name, right=right, why="topics are made and compared")
        for name in sorted(topics)
        for right in (Right.CREATE, Right.DESCRIBE_CONFIGS)
    ]
