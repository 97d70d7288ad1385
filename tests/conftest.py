"""What every test may use; the fixtures themselves are in tests/support."""

import os

from hypothesis import HealthCheck, settings

from tests.support.memory import work_in_memory

work_in_memory()

pytest_plugins = ["tests.support.database", "tests.support.samples", "tests.support.time", "tests.support.operating"]

settings.register_profile("default", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=50, print_blob=True)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") == "true" else "default"))
