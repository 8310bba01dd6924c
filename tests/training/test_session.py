import ctypes
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
import torch

from serkit.training import choose_device, torch_session


@pytest.fixture(autouse=True)
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_seed_decides_inside_and_is_put_back():
    state = torch.get_rng_state()
    with torch_session(seed=3):
        first = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), state)
    with torch_session(seed=3):
        assert torch.equal(torch.rand(4), first)
    with torch_session(seed=4):
        assert not torch.equal(torch.rand(4), first)


def test_without_a_seed_the_state_moves_on():
    state = torch.get_rng_state()
    with torch_session():
        torch.rand(4)
    assert not torch.equal(torch.get_rng_state(), state)


def test_threads_are_put_back():
    with torch_session(num_threads=1):
        assert torch.get_num_threads() == 1
        with torch_session(num_threads=None):
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_all_is_put_back_after_an_error():
    state = torch.get_rng_state()
    with pytest.raises(IndexError), torch_session(seed=3, num_threads=1):
        torch.rand(4)[5]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as pool:  # the lock is free again
        assert pool.submit(_draw, 3).result(timeout=30) == _draw(3)


def _draw(seed):
    with torch_session(seed=seed, num_threads=1):
        values = []
        for _ in range(5):
            values.append(torch.rand(()).item())
            sleep(0.001)  # others would draw now, were they not kept out
        return values


def test_sessions_of_several_threads_do_not_mix():
    seeds = [0, 1, 2, 3] * 3
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(_draw, seeds))
    assert drawn == [_draw(seed) for seed in seeds]


class Library:
    """Stand in for the C library."""

    def __init__(self, name):
        self.name = name

    def mallopt(self, *arguments):
        Library.calls.append("mallopt")

    def malloc_trim(self, *arguments):
        Library.calls.append("malloc_trim")


@pytest.fixture
def library(monkeypatch):
    session = sys.modules[torch_session.__module__]

    def forget():
        session._find_malloc.cache_clear()
        session._keep_freed_memory.cache_clear()

    monkeypatch.setattr(Library, "calls", [], raising=False)
    monkeypatch.setattr(ctypes, "CDLL", Library)
    forget()
    yield Library
    forget()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_memory_is_kept_during_fits_and_given_back_after_each(library, monkeypatch):
    monkeypatch.delenv("SERKIT_NO_MALLOPT", raising=False)
    for seed in (0, 0, None):
        _draw(seed)
    assert library.calls == ["mallopt", "mallopt", "malloc_trim", "malloc_trim"]


def test_malloc_can_be_left_alone(library, monkeypatch):
    monkeypatch.setenv("SERKIT_NO_MALLOPT", "1")
    _draw(0)
    assert not library.calls


def test_device_is_chosen():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto") == torch.device(expected)
    assert choose_device(torch.device("meta")) == torch.device("meta")
