"""What a derivation is made of: where a resource is, and the ways by which policies reach a principal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from permmigrate.diff.derive_texts import Bundle, bound
from permmigrate.model import ContentKind, ContentRef, EnvironmentId, ScopeType, User


class Spot(NamedTuple):
    """Where a resource is: the folders above it, nearest first, and the collections it is in."""

    scope: str
    """An environment id, or empty for the account."""
    folders: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()

    @property
    def contents(self) -> Iterator[ContentRef]:
        """The folders and collections on which something granted reaches the resource."""
        environment = EnvironmentId(self.scope)
        for folder in self.folders:
            yield ContentRef(environment, ContentKind.FOLDER, folder)
        for collection in self.collections:
            yield ContentRef(environment, ContentKind.COLLECTION, collection)


@dataclass(frozen=True, slots=True)
class Way:
    """One grant, and the policies it hands out."""

    text: str
    """In words: "group EMEA › folder role Editor on Brands"."""
    cause: str
    """The mapping row or vendor default behind it; empty for what stands on both sides."""
    policies: Bundle
    """As they are for every folder and collection."""
    content: tuple[tuple[str, str], ...] = ()
    """(kind, id) of the folder or collection they are given on."""
    role_id: str = ""
    """The new role, when it is one."""
    group_id: str = ""
    """The group it came through."""
    no_effect: str = ""
    """Why it hands out nothing although it is there."""

    @property
    def least(self) -> str:
        """The policies' texts with the folder or collection put in, were the unknown against the holder."""
        return bound(self.policies.least, self.content)

    @property
    def most(self) -> str:
        """Likewise, were it in the holder's favour."""
        return bound(self.policies.most, self.content)


class Ways(NamedTuple):
    """Those of both sides."""

    before: tuple[Way, ...]
    after: tuple[Way, ...]


NOTHING: Final = Bundle.of(())
OUT_OF_REACH: Final = "legacy access did not reach this product environment"


def scope_type(scope: str) -> ScopeType:
    """The account or an environment."""
    return ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT


def reaches(user: User, scope: str) -> bool:
    """Whether a legacy user could work there: Master admins and unlimited users everywhere."""
    everywhere = user.all_environments or user.legacy_role == "master_admin"
    return not scope or everywhere or scope in user.environment_ids
