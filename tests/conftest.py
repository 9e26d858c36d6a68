"""Lets every test import the modules beside this file, and holds Hypothesis to one way of drawing.

No deadlines: how long an example takes is the machine's matter. The same examples each time, so that a run
tells of the change that was made; `make fuzz` draws new ones. `diff` weighs no causes unless a test asks
for it: that would be some comparisons more each time.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from sampling import WHOLE

settings.register_profile(
    "here", deadline=None, derandomize=not WHOLE, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")
os.environ.setdefault("PERMMIGRATE_WEIGH", "0")


def pytest_xdist_auto_num_workers() -> int:
    """Three for two processors: many tests wait, for a sandbox, a browser or a clock."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones: one that began last would leave the other processors idle."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the collector what stays until the end, thousands of tests and their modules, and let it wait.

    A test keeps little and makes much: rounds after each 700 things made find next to nothing to collect.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
