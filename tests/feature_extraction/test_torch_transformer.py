import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import (
    CachedTransformer,
    FrameScaler,
    TemporalPooling,
    TorchTransformer,
)
from serkit.utils import as_ragged, estimator_digest


class Statistics(torch.nn.Module):
    def forward(self, x):
        x = x.flatten(1)
        return torch.stack([x.mean(1), x.amax(1)], dim=1)


@pytest.fixture
def audio():
    rng = np.random.default_rng(0)
    return as_ragged([rng.uniform(-1, 1, n).astype(np.float32) for n in (50, 80, 65)])


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return as_ragged([rng.normal(size=(2, 3, n)).astype(np.float32) for n in (5, 8)])


def test_audio_to_audio(audio):
    filtered = TorchTransformer(torch.nn.AvgPool1d(5), output="audio").fit_transform(audio)
    assert filtered.dtype == object
    for before, after in zip(audio, filtered, strict=True):
        np.testing.assert_allclose(after, before.reshape(-1, 5).mean(axis=1), atol=1e-6)


def test_audio_to_frames(audio):
    module = torch.nn.Sequential(torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 4, 10, 5))
    outputs = TorchTransformer(module).fit_transform(audio)
    assert [output.shape for output in outputs] == [(1, 4, 9), (1, 4, 15), (1, 4, 12)]
    numeric = TorchTransformer(module).fit_transform(np.stack([audio[0], audio[0]]))
    assert numeric.shape == (2, 1, 4, 9)
    np.testing.assert_array_equal(numeric[1], outputs[0])


def test_frames_to_frames(frames):
    outputs = TorchTransformer(torch.nn.Conv2d(2, 6, 3), input="frames").fit_transform(frames)
    assert [output.shape for output in outputs] == [(6, 1, 3), (6, 1, 6)]


def test_functionals_have_names(frames):
    step = TorchTransformer(Statistics(), input="frames", output="functionals").fit(frames)
    table = step.set_output(transform="pandas").transform(frames)
    assert list(table.columns) == ["statistics0", "statistics1"]
    np.testing.assert_allclose(table["statistics1"], [x.max() for x in frames])
    assert not hasattr(TorchTransformer(Statistics()), "get_feature_names_out")


def test_works_inside_a_pipeline(audio):
    module = torch.nn.Unflatten(1, (5, -1))
    steps = make_pipeline(TorchTransformer(module), FrameScaler(), TemporalPooling())
    assert steps.fit_transform(audio).shape == (3, 10)


def test_first_item_of_a_tuple_is_taken(frames):
    class Pair(torch.nn.Module):
        def forward(self, x):
            return 2 * x, None

    outputs = TorchTransformer(Pair(), input="frames").fit_transform(frames)
    np.testing.assert_array_equal(outputs[0], 2 * frames[0])


def test_the_module_runs_in_evaluation_mode_and_is_not_changed(frames):
    module = torch.nn.Sequential(torch.nn.BatchNorm2d(2), torch.nn.Dropout(0.5))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    step = TorchTransformer(module, input="frames").fit(frames)
    outputs = step.transform(frames)
    np.testing.assert_array_equal(step.transform(frames[1:])[0], outputs[1])
    np.testing.assert_allclose(outputs[0], frames[0], rtol=1e-4)
    assert all(part.training for part in module.modules())
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_clones_and_pickled_copies_are_equal_and_independent(frames):
    step = TorchTransformer(torch.nn.Conv2d(2, 2, 1), input="frames").fit(frames)
    expected = step.transform(frames)
    copies = [clone(step), pickle.loads(pickle.dumps(step)), clone(step).set_params(n_jobs=2)]
    with torch.no_grad():
        step.module.weight.zero_()
    for copy in copies:
        for ours, theirs in zip(copy.transform(frames), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(step.transform(frames)[0], expected[0])


@pytest.mark.parametrize(
    ("module", "output", "message"),
    [
        (torch.nn.Identity(), "functionals", r'"functionals" needs .* and 1 more'),
        (torch.nn.Flatten(0), "audio", "leading axis of length 1"),
        (Statistics(), "frames", "2 or 3 more"),
    ],
)
def test_wrong_axes_are_explained(frames, module, output, message):
    with pytest.raises(ValueError, match=message):
        TorchTransformer(module, input="frames", output=output).fit(frames).transform(frames)


def seeded_digest():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.LeakyReLU(0.2))
    return estimator_digest(TorchTransformer(module))


def test_the_digest_depends_on_weights_and_settings_alone():
    digest = seeded_digest()
    code = (
        "import torch\n"
        "from serkit.feature_extraction import TorchTransformer\n"
        "from serkit.utils import estimator_digest\n"
        "torch.manual_seed(0)\n"
        "module = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.LeakyReLU(0.2))\n"
        "print(estimator_digest(TorchTransformer(module, device='cpu').set_params(n_jobs=2)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert printed.decode().strip() == digest
    torch.manual_seed(0)
    convolution, slope = torch.nn.Conv1d(1, 2, 3), torch.nn.LeakyReLU(0.3)
    assert estimator_digest(TorchTransformer(torch.nn.Sequential(convolution, slope))) != digest
    slope = torch.nn.LeakyReLU(0.2)
    module = torch.nn.Sequential(convolution, slope)
    assert estimator_digest(TorchTransformer(module.eval())) == digest
    with torch.no_grad():
        convolution.bias[0] += 1
    assert estimator_digest(TorchTransformer(module)) != digest


def module_digest(module):
    return estimator_digest(TorchTransformer(module))


def test_repeated_submodules_count():
    layer = torch.nn.Linear(3, 3)
    once, twice = torch.nn.Sequential(layer), torch.nn.Sequential(layer, layer)
    assert module_digest(once) != module_digest(twice)
    three, four = ([layer, other] for other in (torch.nn.ReLU(), layer))
    assert module_digest(torch.nn.Sequential(*three)) != module_digest(torch.nn.Sequential(*four))


def test_hooks_count():
    def hooked(register, factor):
        module = torch.nn.Identity()
        if factor is not None:
            getattr(module, register)(lambda part, args, out=None: factor * args[0])
        return module_digest(module)

    for register in ("register_forward_hook", "register_forward_pre_hook"):
        assert hooked(register, 2) == hooked(register, 2)
        assert len({hooked(register, factor) for factor in (None, 2, 3)}) == 3


def test_code_of_own_modules_counts():
    def own(factor):
        namespace = {"torch": torch, "__name__": "users_script"}
        exec(
            f"class Own(torch.nn.Module):\n    def forward(self, x):\n        return {factor} * x",
            namespace,
        )
        return module_digest(torch.nn.Sequential(namespace["Own"]()))

    assert own(2) == own(2) != own(3)


class Threads(torch.nn.Module):
    """Gives the number of threads it may use."""

    def forward(self, x):
        return torch.full((1, 1), float(torch.get_num_threads()))


@pytest.mark.parametrize("cached", [False, True])
def test_jobs_do_not_multiply_with_threads(audio, cached):
    def n_threads(n_jobs):
        step = TorchTransformer(Threads(), output="functionals", n_jobs=n_jobs)
        step = CachedTransformer(step, n_jobs=n_jobs) if cached else step
        return step.transform(audio).ravel().tolist()

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert n_threads(2) == [1, 1, 1]
        assert n_threads(None) == [3, 3, 3]
    finally:
        torch.set_num_threads(before)


def test_torchaudio_transforms_are_steps(audio):
    try:
        from torchaudio.transforms import MelSpectrogram
    except (ImportError, OSError):
        pytest.skip("torchaudio is missing or does not fit the installed torch")
    outputs = TorchTransformer(MelSpectrogram(n_fft=32, n_mels=4)).fit_transform(audio)
    assert outputs[0].shape[:2] == (1, 4)
