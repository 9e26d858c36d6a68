"""What the handlers of the Admin API share: the environment, the caller's rights, and new folders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from permmigrate.sandbox.columns import ROOT
from permmigrate.sandbox.context import Context
from permmigrate.sandbox.decide import Resource
from permmigrate.sandbox.state import Environment
from permmigrate.sandbox.wire import ApiError, Request, denied

BASE: Final = "/v1_1/{cloud_name}"


class Admin:
    """The base of the handlers of one environment's API."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._folders = context.account.folders

    def environment(self, request: Request) -> tuple[Environment, int]:
        environment = self._account.by_cloud(request.params["cloud_name"])
        if environment is None:
            raise ApiError(401, "cloud_name mismatch")
        return environment, self._account.environment_number(environment.id)

    def may(self, environment: Environment, action: str, resource: Resource) -> bool:
        return self._context.decider.key_allowed(self._context.caller.id, environment.id, action, resource)

    def must(self, environment: Environment, action: str, resource: Resource) -> None:
        """Refuse the call unless its key may do the action."""
        if not self.may(environment, action, resource):
            raise denied(environment.id, action)

    def must_hold_something(self, environment: Environment, action: str) -> None:
        """Refuse a key that holds nothing here; one that holds something gets what it may see."""
        if not self._context.decider.holds_any(self._context.caller.id, environment.id):
            raise denied(environment.id, action)

    def folder_resource(self, number: int) -> Resource:
        """A folder as Cedar sees it; ROOT is above every folder and has no ancestors."""
        if number == ROOT:
            return Resource("Folder", "", {"ancestor_ids": [], "name": ""})
        ids = self._folders.ancestor_ids(number)
        return Resource("Folder", ids[-1], {"ancestor_ids": ids, "name": self._folders.name(number)})

    def sees_all_folders(self, environment: Environment) -> bool:
        """Whether every folder is seen for sure, so that none needs to be asked for."""
        if self._context.decider.may_be_forbidden(self._context.caller.id, environment.id):
            return False
        return self.may(environment, "read", self.folder_resource(ROOT))

    def visible(self, environment: Environment, numbers: Iterator[int] | list[int]) -> Iterator[int]:
        """The folders among these that the caller may read."""
        everything = self.sees_all_folders(environment)
        for number in numbers:
            if everything or self.may(environment, "read", self.folder_resource(number)):
                yield number


def closest(context: Context, environment_number: int, path: str) -> tuple[int, str]:
    """The nearest folder that exists at or above a path, ROOT at worst, and its path."""
    while path:
        number = context.account.folders.by_path(environment_number, path)
        if number is not None:
            return number, path
        path = path.rpartition("/")[0]
    return ROOT, ""


def make_folders(context: Context, environment_number: int, path: str) -> int:
    """Make a folder and those above it that are missing; return its number."""
    folders = context.account.folders
    number, parts = ROOT, path.split("/")
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        found = folders.by_path(environment_number, part)
        if found is None:
            folder_id = "c7c0" + context.new_id("folder")
            found = folders.add(environment_number, part, folder_id, context.epoch())
        number = found
    return number
