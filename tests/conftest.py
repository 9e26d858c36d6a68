"""Lets every test import the modules beside this file, and holds Hypothesis to one way of drawing.

No deadlines: how long an example takes is the machine's matter. The same examples each time, so that a run
tells of the change that was made; `make fuzz` draws new ones. `diff` weighs no causes unless a test asks
for it: that would be some comparisons more each time.
"""

import os

from hypothesis import HealthCheck, settings

from sampling import WHOLE

settings.register_profile(
    "here", deadline=None, derandomize=not WHOLE, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")
os.environ.setdefault("PERMMIGRATE_WEIGH", "0")
