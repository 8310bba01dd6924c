import threading

import pytest
import torch

from serkit.feature_extraction._spectral_threads import ONE_THREAD


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_inside_and_as_before_outside(three_threads):
    with ONE_THREAD:
        assert torch.get_num_threads() == 1
        with ONE_THREAD:
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_each_thread_gets_its_own_setting_back(three_threads):
    entered, leave = threading.Event(), threading.Event()
    seen = []

    def stay_inside():
        torch.set_num_threads(2)
        with ONE_THREAD:
            entered.set()
            leave.wait()
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    with ONE_THREAD:
        other = threading.Thread(target=stay_inside)
        other.start()
        entered.wait()
    assert torch.get_num_threads() == 3
    leave.set()
    other.join()
    assert seen == [1, 2]
    assert torch.get_num_threads() == 3
