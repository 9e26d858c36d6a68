"""The folders of the imaginary company, and a few assets in them.

Every environment has brands, regions, agencies and an archive, and names that misbehave in reports.
"""

from __future__ import annotations

from random import Random
from typing import Final

from permmigrate.sandbox.columns import ROOT, Folders
from permmigrate.sandbox.context import stable_id
from permmigrate.sandbox.state import Asset

DAY: Final = 86_400
DEEPEST: Final = 8
TOP: Final = (
    "Brands",
    "Brands/Aurora",
    "Brands/Aurora/2026",
    "Brands/Aurora/2026/Campaigns",
    "Brands/Aurora/2026/Campaigns/Spring",
    "Brands/Borealis",
    "Regions",
    "Regions/EMEA",
    "Regions/EMEA/DACH",
    "Regions/日本",
    "Regions/الشرق الأوسط",
    "Agencies",
    "Agencies/Northlight",
    "Agencies/Northlight/Deliveries",
    "Archive",
    "Archive/2019",
    "Legal",
    "Legal/Contracts",
    "Finance Reports",
    "=1+1",
    "<img src=x onerror=alert(1)>",
    "@SUM(A1:A9)",
    'Quotes "and" commas, here',
    "public-press-kit",
)
"""The first folders of every environment, the awkward ones included."""
_BRANDS: Final = (
    "Aurora",
    "Borealis",
    "Cobalt",
    "Dune",
    "Ember",
    "Fjord",
    "Glacier",
    "Halo",
    "Indigo",
    "Juniper",
)
_MIDDLE: Final = ("2021", "2022", "2023", "2024", "2025", "2026", "Campaigns", "Products", "People", "Events")
_LEAVES: Final = (
    "Spring",
    "Summer",
    "Autumn",
    "Winter",
    "Print",
    "Social",
    "Video",
    "Packshots",
    "Raw",
    "Selects",
    "Final",
    "Übersetzungen",
    "Фото",
    "素材",
    "तस्वीरें",
    "צילומים",
)


def plant(seed: int, counts: list[int], now: int) -> Folders:
    """That many folders in each environment."""
    folders = Folders()
    for environment, count in enumerate(counts):
        random = Random(f"{seed}/folders/{environment}")
        born = now - 8 * 365 * DAY
        grown: list[int] = []

        def add(
            path: str, environment: int = environment, grown: list[int] = grown, born: int = born
        ) -> None:
            number = len(folders)
            folder_id = "c7c0" + stable_id(seed, "folder", number)
            grown.append(folders.add(environment, path, folder_id, born + len(grown) * 600))

        for path in TOP[:count]:
            add(path)
        while len(grown) < count:
            parent = grown[int(len(grown) * random.random() ** 1.5)]
            above = folders.paths[parent]
            depth = above.count("/") + 1
            if depth >= DEEPEST:
                continue
            pool = _BRANDS if depth == 1 else _MIDDLE if depth < 4 else _LEAVES
            path = f"{above}/{random.choice(pool)}"
            if folders.by_path(environment, path) is not None:
                path = f"{path} {len(grown)}"
            add(path)
    return folders


def fill(seed: int, folders: Folders, environments: int, each: int, now: int) -> list[Asset]:
    """A few assets in every environment, one of them in the root."""
    found: list[Asset] = []
    for environment in range(environments):
        random = Random(f"{seed}/assets/{environment}")
        numbers = folders.of(environment)
        for n in range(each):
            folder = ROOT if n == 0 else numbers[n % len(TOP)] if n < len(TOP) else random.choice(numbers)
            found.append(
                Asset(
                    id=stable_id(seed, f"asset/{environment}", n, 32),
                    public_id=f"asset_{environment}_{n:04}",
                    folder=folder,
                    environment=environment,
                    resource_type=random.choices(("image", "video", "raw"), (8, 2, 1))[0],
                    access_control=random.choices(("public", "restricted"), (4, 1))[0],
                    created_at=now - random.randrange(1, 2000) * DAY,
                    bytes=random.randrange(10_000, 9_000_000),
                )
            )
    return found
