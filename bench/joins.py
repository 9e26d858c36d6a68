"""The task of a comparison as a straightforward solution in pandas does it: joins, and joins again.

People are joined with their groups' grants, every grant's nearest one above is found by climbing the tree a
join a level, and a finding's folders by going down it. What a state means is looked up in the engine's own
tables, which spares pandas most of the work on permissions. What a group has is told with the group; what
users have along the same paths is told once.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from permmigrate.diff.automaton import Automaton
from permmigrate.diff.compare import entitled
from permmigrate.diff.profiles import Profiles, askers
from permmigrate.diff.verdicts import COMPARED
from permmigrate.entitlements.places import FOLDER
from permmigrate.mapping.tables import load as load_tables
from permmigrate.model import PrincipalType
from permmigrate.resources import mappings_dir
from permmigrate.snapshot.file import load

SAME = ["place", "essence", "folders"]


class Joins:
    """One comparison, some principals at a time, groups first."""

    def __init__(self, path: Path, today: date) -> None:
        self.sides = entitled(load(path), load_tables(mappings_dir()), today=today)
        self.automaton = Automaton(askers(self.sides))
        self.profiles = Profiles(self.sides, self.automaton)
        places, content = self.sides.places, self.sides.content
        self.places = pd.DataFrame(
            {
                "place": np.arange(len(places)),
                "up": places.parent,
                "scope": places.scope,
                "size": places.size,
                "folder": places.kind == FOLDER,
            }
        )
        holder = np.repeat(np.arange(len(content.starts) - 1), np.diff(content.starts))
        kind = (places.kind[content.place] == 2).astype(np.int64)
        grants = {
            "holder": holder,
            "place": content.place,
            "combination": content.combination * np.int32(2) + kind,
            "origin": content.origin,
        }
        self.grants = pd.DataFrame(grants).merge(self.places[["place", "scope"]], on="place")
        self.held = np.zeros(len(COMPARED), dtype=np.int64)
        """How many findings of each verdict hold, each for whom it holds."""
        self.of_groups: list[pd.DataFrame] = []
        self.alone = 0
        """Findings that are told for one principal only: keys have no groups and nobody beside them."""
        self.of_users: list[pd.DataFrame] = []

    def numbers(self) -> list[int]:
        """Everybody, groups first."""
        principals = self.sides.principals
        return sorted(range(len(principals)), key=lambda one: principals[one].type is not PrincipalType.GROUP)

    def compare(self, numbers: list[int]) -> None:
        """Find, count and list what these principals have."""
        by_type: dict[PrincipalType, list[int]] = {}
        for one in numbers:
            by_type.setdefault(self.sides.principals[one].type, []).append(one)
        for type_, some in by_type.items():
            stops, begun = self.stops(some)
            stops["above"] = self.above(stops)
            stops = self.stepped(stops)
            found = self.found(stops)
            self.held += np.bincount(found.verdict, minlength=len(COMPARED))
            found["folders"] = self.folders(stops, found)
            if type_ is PrincipalType.GROUP:
                self.of_groups.append(found[["who", *SAME]].rename(columns={"who": "group"}))
            elif type_ is PrincipalType.USER:
                rest = self.unlisted(found, some)
                rest["paths"] = self.paths(stops, begun, rest)
                dormant = [self.sides.snapshot.is_dormant(self.sides.principals[one]) for one in some]
                rest = rest.merge(pd.DataFrame({"who": some, "dormant": dormant}), on="who")
                self.of_users.append(rest[[*SAME, "paths", "dormant"]].drop_duplicates())
            else:
                self.alone += len(found)

    def told(self) -> int:
        """How many findings there are to tell."""
        users = pd.concat(self.of_users).drop_duplicates() if self.of_users else ()
        return sum(map(len, self.of_groups)) + len(users) + self.alone

    def stops(self, numbers: list[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Where anything begins, one row a principal and place; and all that begins there."""
        sources, roots = [], []
        for number in numbers:
            principal = self.sides.principals[number]
            profile, reach = self.profiles.profile(principal), self.profiles.reach(principal)
            for one in self.profiles.sources(principal):
                sources += [
                    (number, one.holder, at, one.within if within else one.beyond, one.via)
                    for at, within in enumerate(reach)
                ]
            nobodys = self.profiles.nobodys(principal.type)
            for at, scope in enumerate(self.sides.scopes):
                roots.append((number, self.sides.places.starts[scope], profile.wide[at], nobodys[at]))
            roots += [(number, place, offer, -1) for place, offer in profile.extras]
        joined = pd.DataFrame(sources, columns=["who", "holder", "scope", "lens", "via"]).merge(
            self.grants, on=["holder", "scope"]
        )
        offers = joined[["combination", "lens"]].drop_duplicates()
        offers["offer"] = self.profiles.offered(offers.combination.to_numpy(), offers.lens.to_numpy())
        joined = joined.merge(offers, on=["combination", "lens"]).assign(nobody=-1)
        wide = pd.DataFrame(roots, columns=["who", "place", "offer", "nobody"])
        wide = wide.assign(via=0, origin=np.uint64(0))
        begun = pd.concat([wide, joined[wide.columns]], ignore_index=True)
        begun = begun[~begun.offer.isin(self.profiles.nothing)]
        begun["effect"] = self.profiles.effect_of[begun.offer]
        several = begun.duplicated(["who", "place"], keep=False)
        single, rest = begun[~several], begun[several].drop_duplicates(["who", "place", "effect"])
        together = rest.groupby(["who", "place"], as_index=False).agg({"effect": tuple, "nobody": "max"})
        joins = {one: self._union(one) for one in together.effect.drop_duplicates()}
        together["effect"] = together.effect.map(joins)
        stops = pd.concat([single[["who", "place", "effect", "nobody"]], together], ignore_index=True)
        stops = stops.astype(int).assign(stop=np.arange(len(stops)))
        return stops, begun.merge(stops[["who", "place", "stop"]], on=["who", "place"])

    def _union(self, effects: tuple[int, ...]) -> int:
        first, *more = effects
        for one in more:
            first = int(self.automaton.join(np.array([first]), np.array([one]))[0])
        return first

    def above(self, stops: pd.DataFrame) -> pd.Series[int]:
        """The nearest stop above each, one join a level of the tree."""
        above = pd.Series(-1, index=stops.index)
        climbing = stops[["who", "place", "stop"]].merge(self.places[["place", "up"]], on="place")
        climbing = climbing[climbing.up >= 0]
        there = stops[["who", "place", "stop"]].rename(columns={"place": "up", "stop": "met"})
        while len(climbing):
            climbing = climbing[["who", "stop", "up"]].merge(there, on=["who", "up"], how="left")
            met = climbing[climbing.met.notna()]
            above.loc[met.stop] = met.met.astype(int).to_numpy()
            left = climbing[climbing.met.isna()].rename(columns={"up": "place"})
            climbing = left[["who", "stop", "place"]].merge(self.places[["place", "up"]], on="place")
        return above

    def stepped(self, stops: pd.DataFrame) -> pd.DataFrame:
        """Every stop with its step and the state that this leads to, from the scopes downwards."""
        done = []
        here = stops[stops.above < 0].rename(columns={"nobody": "upper"})
        waiting = stops[stops.above >= 0]
        while len(here):
            pairs = here[["upper", "effect"]].drop_duplicates()
            pairs["step"] = self.automaton.step(pairs.upper.to_numpy(), pairs.effect.to_numpy())
            pairs["state"] = [self.automaton.steps[one][0] for one in pairs.step]
            here = here.merge(pairs, on=["upper", "effect"])[
                ["who", "place", "stop", "above", "step", "state"]
            ]
            done.append(here)
            upper = here[["stop", "state"]].rename(columns={"stop": "above", "state": "upper"})
            waiting, here = waiting[~waiting.above.isin(here.stop)], waiting.merge(upper, on="above")
        return pd.concat(done, ignore_index=True)

    def found(self, stops: pd.DataFrame) -> pd.DataFrame:
        """The findings of all stops."""
        rows = [
            (step, span, kind)
            for step in stops.step.drop_duplicates()
            for span, kinds in self.automaton.steps[step][1]
            for kind in kinds
        ]
        table = pd.DataFrame(rows, columns=["step", "span", "kind"])
        table["verdict"] = [self.automaton.kinds[one].verdict for one in table.kind]
        table["essence"] = [self.automaton.essence_of[one] for one in table.kind]
        found = stops[["who", "place", "stop", "step"]].merge(table, on="step")
        return found.assign(finding=np.arange(len(found)))

    def folders(self, stops: pd.DataFrame, found: pd.DataFrame) -> np.ndarray[Any, Any]:
        """How many folders each finding holds for: down the tree, as long as the verdict is kept."""
        sized = stops.merge(self.places[["place", "size", "folder"]], on="place")
        upper = sized[["stop", "folder"]].rename(columns={"stop": "above", "folder": "in_folder"})
        below = sized[sized.folder].merge(upper[upper.in_folder], on="above")
        inner = below.groupby("above")["size"].sum().rename("inner")
        own = sized.set_index("stop")["size"].sub(inner, fill_value=0).astype(int).rename("own")
        children = below[["above", "stop", "state"]].merge(own, left_on="stop", right_index=True)
        children = children.rename(columns={"stop": "child"})
        total = found[["finding", "stop"]].merge(own, left_on="stop", right_index=True)
        total = total.set_index("finding").own
        going = found[["finding", "stop", "span"]]
        while len(going):
            going = going.merge(children, left_on="stop", right_on="above")
            pairs = going[["state", "span"]].drop_duplicates()
            pairs["kept"] = self.automaton.keeps(pairs.state.to_numpy(), pairs.span.to_numpy()) > 0
            going = going.merge(pairs, on=["state", "span"])
            going = going[going.kept]
            total = total.add(going.groupby("finding").own.sum(), fill_value=0)
            going = going[["finding", "child", "span"]].rename(columns={"child": "stop"})
        return total.reindex(found.finding).astype(int).to_numpy()

    def unlisted(self, found: pd.DataFrame, users: list[int]) -> pd.DataFrame:
        """The findings that none of the user's groups has."""
        holders, after = self.profiles.holders, self.sides.after
        pairs = [(one, holders[g]) for one in users for g in after.groups(self.sides.principals[one])]
        member = pd.DataFrame(pairs, columns=["who", "group"])
        groups = pd.concat(self.of_groups)
        groups = groups[groups.group.isin(member.group)]
        told = found[["finding", "who", *SAME]].merge(member, on="who").merge(groups, on=["group", *SAME])
        return found[~found.finding.isin(told.finding)]

    def paths(self, stops: pd.DataFrame, begun: pd.DataFrame, found: pd.DataFrame) -> np.ndarray[Any, Any]:
        """One number for all paths behind each finding: every grant on its way up that says something."""
        parts = []
        climbing = found[["finding", "essence", "stop"]]
        entries = begun[["stop", "place", "offer", "via", "origin"]]
        while len(climbing):
            said = climbing.merge(entries, on="stop")
            pairs = said[["offer", "essence"]].drop_duplicates()
            looks = zip(pairs.offer, pairs.essence, strict=True)
            pairs["look"] = [self.profiles.look(offer, essence) for offer, essence in looks]
            said = said.merge(pairs, on=["offer", "essence"])
            said = said[said["look"] > 0]
            said["origin"] = said.origin.where(said["look"] % 2 == 1, np.uint64(0))
            row = pd.util.hash_pandas_object(said[["look", "via", "place", "origin"]], index=False)
            parts.append(pd.DataFrame({"finding": said.finding, "row": row}))
            up = stops[["stop", "above"]]
            climbing = climbing.merge(up, on="stop")[["finding", "essence", "above"]]
            climbing = climbing[climbing.above >= 0].rename(columns={"above": "stop"})
        paths = pd.concat(parts).groupby("finding").row.sum()
        return paths.reindex(found.finding, fill_value=0).to_numpy()
