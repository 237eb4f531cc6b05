import os
import uuid

import pytest


@pytest.fixture(scope="session")
def url() -> str:
    return os.environ["TEST_BROKER"]


@pytest.fixture
def topic() -> str:
    """A name that nobody used before."""
    return f"t-{uuid.uuid4().hex[:12]}"
