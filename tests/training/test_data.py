import hashlib

import numpy as np
import pytest
import torch

from serkit.training import BatchLoader, UtteranceData


def ragged(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(1, 2, n)).astype(np.float32) for n in lengths]


def rows_of(loader):
    return [targets["row"].tolist() for _, targets in loader]


def numbered(lengths):
    return UtteranceData(ragged(lengths), row=np.arange(len(lengths)))


def test_utterances_are_not_copied():
    X = np.zeros((4, 1, 2, 3), np.float32)
    data = UtteranceData(X)
    X[2] = 7
    assert (data.batch(np.array([2]))[0]["x"] == 7).all()
    utterances = ragged([3, 5])
    data = UtteranceData(utterances)
    utterances[1][:] = 7
    assert (data.batch(np.array([1]))[0]["x"] == 7).all()


@pytest.mark.parametrize("lengths", [(3, 3), (3, 5)])
def test_input_may_be_read_only_of_other_types_and_strides(lengths):
    utterances = [utterance.astype(np.float64)[..., ::-1] for utterance in ragged(lengths)]
    for utterance in utterances:
        utterance.flags.writeable = False
    inputs, _ = UtteranceData(utterances).batch(np.array([0, 1]))
    for row, utterance, n in zip(inputs["x"], utterances, lengths, strict=True):
        assert row.dtype == torch.float32
        np.testing.assert_array_equal(row[..., :n], utterance.astype(np.float32))
        assert not row[..., n:].any()


def test_a_batch_is_a_copy():
    X = np.zeros((4, 3), np.float32)
    X.flags.writeable = False
    inputs, targets = (data := UtteranceData(X, y=np.zeros(4))).batch(np.array([0, 1]))
    inputs["x"] += 1
    targets["y"] += 1
    inputs, targets = data.batch(np.array([0, 1]))
    assert not inputs["x"].any()
    assert not targets["y"].any()


def test_lengths_come_only_where_something_is_padded():
    data = numbered([3, 5, 5])
    inputs, _ = data.batch(np.array([2, 0]))
    assert inputs["lengths"].tolist() == [5, 3]
    assert "lengths" not in data.batch(np.array([1, 2]))[0]
    assert "lengths" not in numbered([4, 4]).batch(np.array([0, 1]))[0]


def test_digest_tells_utterances_and_targets_apart():
    def digest(**changes):
        about = {"utterances": ragged([3, 5]), "y": [0, 1], **changes}
        state = hashlib.sha256()
        UtteranceData(about.pop("utterances"), **about).update_digest(state)
        return state.hexdigest()

    assert digest() == digest()
    others = [digest(utterances=ragged([3, 5], seed=1)), digest(y=[1, 1]), digest(weight=[1, 1])]
    assert len({digest(), *others}) == 4


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (8, 4), (9, 4), (33, 32), (321, 32), (5, 9)])
def test_every_row_comes_once_in_batches_of_equal_size(n, batch_size, equal, seed):
    lengths = np.full(n, 3) if equal else np.random.default_rng(0).integers(3, 9, n)
    loader = BatchLoader(numbered(lengths), batch_size, seed=seed)
    batches = rows_of(loader)
    assert sorted(row for batch in batches for row in batch) == list(range(n))
    sizes = [len(batch) for batch in batches]
    assert len(sizes) == len(loader) == int(np.ceil(n / batch_size))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size


@pytest.mark.parametrize("batch_size", [3, 4, 7, 32])
def test_no_batch_holds_a_single_utterance(batch_size):
    for n in range(2, 5 * batch_size):
        batches = BatchLoader(UtteranceData(np.zeros((n, 1))), batch_size, seed=0).rows(0)
        assert min(map(len, batches)) > 1


@pytest.mark.parametrize("lengths", [[4] * 40, list(range(3, 43))])
def test_the_seed_decides_the_order(lengths):
    def epochs(seed):
        loader = BatchLoader(numbered(lengths), 8, seed=seed)
        return [rows_of(loader), rows_of(loader)]

    first, second = epochs(5)
    assert first != second
    assert epochs(5) == [first, second]
    assert epochs(6)[0] != first
    assert BatchLoader(numbered(lengths), 8, seed=5).rows(1)[0].tolist() == second[0]


def test_buckets_leave_little_padding_but_mix():
    lengths = np.random.default_rng(0).integers(30, 300, 320)
    loader = BatchLoader(numbered(lengths), 32, seed=0)

    def share_of_padding(batches):
        padded = sum(len(rows) * lengths[rows].max() for rows in batches)
        return 1 - lengths.sum() / padded

    at_random = np.array_split(np.random.default_rng(1).permutation(320), 10)
    assert share_of_padding(loader.rows(0)) < share_of_padding(at_random) / 2
    longest = [int(rows[np.argmax(lengths[rows])]) for rows in loader.rows(0)]
    assert longest != [int(rows[np.argmax(lengths[rows])]) for rows in loader.rows(1)]
    assert sorted(loader.rows(0)[0]) != sorted(loader.rows(1)[0])


def test_batches_come_in_no_order_of_length():
    lengths = np.arange(3, 323)
    means = [lengths[rows].mean() for rows in BatchLoader(numbered(lengths), 32, seed=0).rows(0)]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def test_without_a_seed_the_order_of_rows_does_not_matter():
    utterances = ragged([4, 7, 4, 5, 7, 4, 4])
    shuffled = np.random.default_rng(0).permutation(7)

    def batches(order):
        data = UtteranceData([utterances[row] for row in order], row=order)
        loader = BatchLoader(data, 3)
        first, second = rows_of(loader), rows_of(loader)
        assert first == second
        return first

    assert batches(np.arange(7)) == batches(shuffled)
