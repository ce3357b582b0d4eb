"""What tests of several files stand on."""

import pytest


@pytest.fixture
def one_thread():
    """Torch on one thread, as it was afterwards: sums come out the same, and small networks sooner."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
