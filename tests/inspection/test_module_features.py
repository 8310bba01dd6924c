import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import FrameScaler
from serkit.inspection import ModuleFeatureExtractor
from serkit.neural_network import CRNNClassifier, RHEmoTransformer, SegmentAggregationClassifier
from serkit.preprocessing import FixedLengthSegmenter


def extract(network, X, stage=None, **options):
    return ModuleFeatureExtractor(FrozenEstimator(network), stage, **options).fit(X).transform(X)


def test_a_stage_is_averaged_over_the_frames_of_the_utterance(speech, cldnn):
    X = speech[0]
    vectors = extract(cldnn, X, "recurrence")
    own = cldnn.activations(X, "recurrence")
    assert own[0].shape[-1] != own[1].shape[-1]
    np.testing.assert_allclose(vectors, [values.mean(axis=2).ravel() for values in own], rtol=1e-5)
    # The mean over time is what the network itself reads next.
    np.testing.assert_allclose(vectors, cldnn.activations(X, "pooling"), rtol=1e-4)
    np.testing.assert_allclose(vectors, extract(cldnn, X), rtol=1e-4)


def test_vectors_do_not_depend_on_who_else_is_there(speech, cldnn):
    X = speech[0]
    for stage in ("convolution1", "context", "recurrence", "output"):
        extractor = ModuleFeatureExtractor(FrozenEstimator(cldnn), stage).fit(X)
        alone = np.concatenate([extractor.transform(X[[row]]) for row in range(4)])
        np.testing.assert_allclose(extractor.transform(X)[:4], alone, atol=1e-5)


def test_the_input_has_each_frame_with_its_context(speech, cldnn):
    """As the first layer of an LDNN lays it out, but for the order of the values."""
    X = speech[0]
    vectors = extract(cldnn, X, "input")
    assert vectors.shape == (len(X), 12 * 4)
    before, own = vectors[0].reshape(4, 12)[[1, 2]]
    np.testing.assert_allclose(own, X[0][0].mean(axis=1), rtol=1e-5)
    shifted = np.concatenate([X[0][0, :, :1], X[0][0, :, :-1]], axis=1)
    np.testing.assert_allclose(before, shifted.mean(axis=1), rtol=1e-5)


def test_output_is_the_posteriors_and_head_the_values_before(speech, cldnn):
    X = speech[0]
    posteriors = extract(cldnn, X, "output")
    np.testing.assert_allclose(posteriors, cldnn.predict_proba(X), rtol=1e-6)
    values = torch.from_numpy(extract(cldnn, X, "head"))
    np.testing.assert_allclose(posteriors, values.softmax(dim=1), rtol=1e-4)


def test_statistics_over_time_can_be_chosen(speech, cldnn):
    X = speech[0]
    both = extract(cldnn, X, "recurrence", pooling=("mean", "std"))
    np.testing.assert_array_equal(both[:, :8], extract(cldnn, X, "recurrence"))
    own = cldnn.activations(X, "recurrence")
    np.testing.assert_allclose(both[:, 8:], [x.std(axis=2).ravel() for x in own], rtol=1e-4)


def test_names_and_data_frames(speech, cldnn):
    X = speech[0]
    extractor = ModuleFeatureExtractor(FrozenEstimator(cldnn), "recurrence")
    frame = extractor.set_output(transform="pandas").fit_transform(X)
    assert frame.columns.tolist() == [f"recurrence{i}" for i in range(8)]
    assert extractor.get_feature_names_out().tolist() == frame.columns.tolist()
    assert extractor.stage_ == "recurrence"


def test_a_fitted_network_keeps_what_it_has_learnt(speech, cldnn):
    X, y, _ = speech
    with pytest.raises(TypeError, match=r"CLDNNClassifier given is fitted.*FrozenEstimator"):
        ModuleFeatureExtractor(cldnn).fit(X, y)
    extractor = clone(ModuleFeatureExtractor(FrozenEstimator(cldnn))).fit(X)
    assert extractor.estimator_ is cldnn
    unfitted = ModuleFeatureExtractor(FrozenEstimator(clone(cldnn)))
    with pytest.raises(NotFittedError, match="in FrozenEstimator is not fitted"):
        unfitted.fit(X, y)


def test_an_unfitted_network_is_fitted_on_training_speakers_alone(speech, cldnn):
    X, y, speakers = speech
    network = clone(cldnn).set_params(max_epochs=2)
    step = ModuleFeatureExtractor(make_pipeline(FrameScaler(), network), "recurrence")
    pipe = make_pipeline(step, LogisticRegression())
    folds = GroupKFold(2)
    result = cross_validate(
        pipe,
        X,
        y,
        cv=folds,
        groups=speakers,
        params={"modulefeatureextractor__speakers": speakers},
        return_estimator=True,
    )
    for (train, _), fitted in zip(folds.split(X, y, speakers), result["estimator"], strict=True):
        known = fitted[0].estimator_[-1]._fit_speakers
        assert known == sorted(set(speakers[train]))
    assert not hasattr(network, "net_")


def test_speakers_choose_the_validation_utterances(speech):
    X, y, speakers = speech
    crnn = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=0)
    extractor = ModuleFeatureExtractor(crnn).fit(X, y, speakers=speakers)
    assert "valid_uar" in extractor.estimator_.history_


def test_what_cannot_be_looked_at_is_refused(speech, cldnn):
    X, y, _ = speech
    with pytest.raises(ValueError, match=r"no stage 'conv'; the stages are \['convolution1'"):
        extract(cldnn, X, "conv")
    with pytest.raises(TypeError, match="GaussianNB does not end in a network"):
        extract(GaussianNB().fit(np.eye(2), [0, 1]), np.eye(2))
    with pytest.raises(ValueError, match="requires y to be passed"):
        ModuleFeatureExtractor(clone(cldnn)).fit(X)
    segments = SegmentAggregationClassifier(
        clone(cldnn).set_params(max_epochs=1), FixedLengthSegmenter(8)
    ).fit(X, y)
    with pytest.raises(TypeError, match=r"ModuleFeatureExtractor\(model.estimator_, segments\)"):
        extract(segments, X)
    X = np.abs(np.stack([frames[..., :8] for frames in X]))
    maps = RHEmoTransformer(n_bins=12, n_frames=8, hidden_size=4, max_epochs=1, patience=None)
    with pytest.raises(ValueError, match="predicts nothing, so it has no 'output'"):
        extract(maps.fit(X, y), X, "output")
