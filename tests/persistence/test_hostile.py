"""Files that were tampered with are refused, say why, and run nothing."""

import io
import json
import os
import pickle
import stat
import struct
import sys
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.numpy
import skops.io
import torch
from safetensors.torch import save as weights_to_bytes
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

import serkit
from serkit.feature_extraction import TorchTransformer
from serkit.neural_network import MLPClassifier
from serkit.persistence import ModelFileError
from serkit.persistence._archive import read_archive, write_archive
from serkit.persistence._encode import Encoder
from serkit.persistence._load import rebuild
from serkit.pipeline import make_pipeline
from serkit.preprocessing import SpeakerStandardizer

#: What no model file may cause, by the name of Python's audit event.
FORBIDDEN = (
    "os.exec",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "shutil.rmtree",
    "socket.connect",
    "subprocess.Popen",
    "urllib.Request",
)
_events: list[tuple] | None = None


def listen(event, args):
    if _events is not None and (
        event in FORBIDDEN or (event == "open" and set(str(args[1])) & set("wax+"))
    ):
        _events.append((event, args))


sys.addaudithook(listen)  # for good: there is no way to remove one


@pytest.fixture
def nothing_runs():
    """Fail if anything ran, was written or unpickled until the test ended."""
    global _events
    _events = []
    yield
    events, _events = _events, None
    assert not events


class Hostile:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return (os.system, ("touch /tmp/serkit-was-here",))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return the description and the members of a file of all kinds of parts."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 5)), np.array(["calm", "anger", "joy"] * 4)
    pipeline = make_pipeline(
        SpeakerStandardizer(unseen="global"),
        StandardScaler(),
        MLPClassifier((4,), max_epochs=1, random_state=0),
    )
    pipeline.fit(X, y, speakerstandardizer__speakers=["ann", "bob"] * 6)
    file = tmp_path_factory.mktemp("original") / "model.serkit"
    serkit.save(pipeline, file, card=False)
    serkit.load(file)  # and whatever that imports
    return file.read_bytes(), *read_archive(file)


@pytest.fixture
def tampered(original, tmp_path):
    """Return a function that writes a changed file, with right digests of what it holds."""
    _, description, members = original

    def write(change):
        description_, members_ = json.loads(json.dumps(description)), dict(members)
        steps = dict(
            pair["tuple"] for pair in description_["model"]["estimator"]["params"]["steps"]
        )
        change(Parts(description_, members_, steps))
        path = tmp_path / "model.serkit"
        write_archive(path, description_, members_)
        return path

    return write


class Parts:
    """A description, its members, and the nodes of the steps in it."""

    def __init__(self, description, members, steps):
        self.description, self.members = description, members
        self.pipeline = description["model"]["estimator"]
        self.standardizer = steps["speakerstandardizer"]["estimator"]
        self.scaler = steps["standardscaler"]["skops"]
        self.network = steps["mlpclassifier"]["estimator"]


def put(part, *path, value):
    """Return a change of one value deep in a part."""

    def change(parts):
        found = getattr(parts, part)
        for name in path[:-1]:
            found = found[name]
        found[path[-1]] = value

    return change


def drop(part, *path):
    def change(parts):
        found = getattr(parts, part)
        for name in path[:-1]:
            found = found[name]
        del found[path[-1]]

    return change


def weights(**changes):
    """Return a change of tensors: other ones, or None for none."""

    def change(parts):
        found = safetensors.torch.load(parts.members["weights.safetensors"])
        for name, value in changes.items():
            found[f"n0/{name.replace('__', '.')}"] = value
        kept = {name: value for name, value in found.items() if value is not None}
        parts.members["weights.safetensors"] = weights_to_bytes(kept)

    return change


def plain(estimator):
    """Return a change of the plain part into another file of skops."""

    def change(parts):
        parts.members[parts.scaler["member"]] = skops.io.dumps(estimator)

    return change


def schema(change_schema):
    """Return a change of the description of the plain part."""

    def change(parts):
        name = parts.scaler["member"]
        with zipfile.ZipFile(io.BytesIO(parts.members[name])) as archive:
            contents = {entry: archive.read(entry) for entry in archive.namelist()}
        found = json.loads(contents["schema.json"])
        change_schema(found)
        contents["schema.json"] = json.dumps(found).encode()
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for entry, content in contents.items():
                archive.writestr(entry, content)
        parts.members[name] = data.getvalue()

    return change


def tensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def text_array(*values):
    return {"objects": {"type": "<U1", "shape": [len(values)], "values": [*values]}}


def changed(estimator, **attributes):
    """Return an estimator with other attributes than it was left with."""
    for name, value in attributes.items():
        setattr(estimator, name, value)
    return estimator


def repeat_arrays(parts):
    """Let a plain part hold one large array twenty times."""

    def repeat(found):
        state = found["content"]["content"]
        state["var_"]["content"] = [{**state["mean_"], "__id__": i} for i in range(20)]

    plain(changed(StandardScaler(), mean_=np.zeros(2**18), var_=[]))(parts)
    schema(repeat)(parts)


class OfNoPackage(BaseEstimator):
    """An estimator that skops would look for in this module."""


FITTED = StandardScaler().fit(np.zeros((2, 5)))
OVERLAPPING = tensors(
    {
        "a0": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
        "a1": {"dtype": "F64", "shape": [1], "data_offsets": [4, 12]},
    },
    bytes(12),
)
ENDLESS = {"array": "a0"}
for _ in range(300):
    ENDLESS = {"tuple": [ENDLESS]}
OPENSMILE = {
    "class": "serkit.feature_extraction:OpenSmileFunctionals",
    "params": {"config_path": "/tmp/evil.conf"},
    "fitted": {},
}
TAMPERED = {
    # Names of classes and modules.
    "function as class": (put("network", "class", value="os:system"), "'os:system' is not among"),
    "dotted function": (put("network", "class", value="os.system"), "'os.system' is not among"),
    "builtin": (put("network", "class", value="builtins:eval"), "'builtins:eval' is not among"),
    "way out of a module": (
        put("network", "class", value="serkit.utils:package_versions"),
        "'serkit.utils:package_versions' is not among",
    ),
    "module in a module": (
        put("network", "class", value="serkit.neural_network:torch"),
        "no 'torch' in serkit.neural_network",
    ),
    "private name": (
        put("network", "class", value="serkit.neural_network:__builtins__"),
        "'serkit.neural_network:__builtins__' is not among",
    ),
    "private module": (
        put("network", "class", value="serkit.neural_network._mlp:MLPClassifier"),
        "is not among",
    ),
    "path": (put("network", "class", value="../../evil:MLPClassifier"), "is not among"),
    "abstract class": (
        put("network", "class", value="serkit.neural_network:NeuralClassifier"),
        "no 'NeuralClassifier'",
    ),
    "registered elsewhere": (
        put("network", "class", value="my_project.networks:Mine"),
        r"register\(\.\.\.\) before loading",
    ),
    "list as class": (put("network", "class", value=["os"]), "a class is named by text"),
    "module of torch as estimator": (
        put("network", "class", value="torch.nn:Linear"),
        "'torch.nn:Linear' is no estimator",
    ),
    "class as a value": (
        put("network", "params", "optimizer", value={"name": "serkit.pipeline:Pipeline"}),
        "can be named as a class only",
    ),
    "callable of os": (
        put("network", "params", "augment", value={"name": "os:system"}),
        "'os:system' is not among",
    ),
    "object of a module": (
        put(
            "network",
            "params",
            "augment",
            value={"object": {"class": "subprocess:Popen", "arguments": {"args": ["true"]}}},
        ),
        "'subprocess:Popen' is not among",
    ),
    "estimator as an object": (
        put(
            "network",
            "params",
            "augment",
            value={"object": {"class": "sklearn.svm:SVC", "arguments": {}}},
        ),
        "is no parameter of an estimator",
    ),
    "object with wrong arguments": (
        put(
            "network",
            "params",
            "augment",
            value={"object": {"class": "serkit.augmentation:SpecAugment", "arguments": {"x": 1}}},
        ),
        "SpecAugment refuses its arguments",
    ),
    "scorer": (
        put("network", "params", "augment", value={"scorer": "os.system"}),
        "no scorer 'os.system'",
    ),
    # Parameters and attributes.
    "unknown parameter": (
        put("network", "params", "command", value="rm"),
        "MLPClassifier has no parameter command",
    ),
    "parameter out of bounds": (put("network", "params", "lr", value=-1.0), "'lr' parameter"),
    "infinite size": (
        put("network", "params", "max_epochs", value={"float": "inf"}),
        "'max_epochs' parameter",
    ),
    "not a number as size": (
        put("network", "fitted", "n_bins_in_", value={"float": "nan"}),
        "rebuilt",
    ),
    "callbacks of text": (put("network", "params", "callbacks", value=["os"]), "rebuilt"),
    "folder of a cache": (
        put("pipeline", "params", "memory", value="/tmp/evil"),
        "memory of another machine",
    ),
    "configuration file": (
        lambda parts: parts.pipeline["params"]["steps"].append(
            {"tuple": ["smile", {"estimator": OPENSMILE}]}
        ),
        "OpenSmileFunctionals with a config_path of another machine",
    ),
    "shadowed method": (
        put("network", "fitted", "predict", value="x"),
        "predict is no result of fitting",
    ),
    "shadowed private method": (
        put("network", "fitted", "_make_module", value="x"),
        "_make_module is no result",
    ),
    "class of the object": (
        put("network", "fitted", "__class__", value="x"),
        "__class__ is no result",
    ),
    "dictionary of the object": (
        put("network", "fitted", "__dict__", value={"dict": []}),
        "__dict__ is no result",
    ),
    "parameter as attribute": (put("network", "fitted", "lr", value=3), "lr is no result"),
    "net as attribute": (put("network", "fitted", "net_", value=3), "net_ is no result"),
    "attribute of no fit": (put("network", "fitted", "command", value=3), "command is no result"),
    "missing attribute": (drop("network", "fitted", "classes_"), "rebuilt"),
    "network of a scaler": (
        put("standardizer", "network", value="n0"),
        "SpeakerStandardizer has no network",
    ),
    # Values.
    "unknown kind of value": (
        put("network", "fitted", "classes_", value={"pickle": "gASV"}),
        "'pickle' is no kind of value",
    ),
    "two kinds at once": (
        put("network", "fitted", "classes_", value={"tuple": [], "list": []}),
        "is no value that serkit writes",
    ),
    "number as text": (
        put("network", "params", "dropout", value={"float": "1e5"}),
        "is no number",
    ),
    "type of numpy with fields": (
        put("network", "fitted", "classes_", value={"numpy_dtype": "i4,i4"}),
        "'i4,i4' is no type of numpy",
    ),
    "type of numpy as bytes": (
        put("network", "fitted", "classes_", value={"numpy_type": "|V8"}),
        r"'\|V8' is no type of numpy",
    ),
    "objects that are no text": (
        put(
            "network",
            "fitted",
            "classes_",
            value={"objects": {"type": "|V99", "shape": [1], "values": ["x"]}},
        ),
        "arrays of |V99 are not read",
    ),
    "text of endless length": (
        put(
            "network",
            "fitted",
            "classes_",
            value={"objects": {"type": "<U100000", "shape": [1], "values": ["x"]}},
        ),
        "longer than its text",
    ),
    "empty text of much room": (
        put(
            "network",
            "fitted",
            "classes_",
            value={"objects": {"type": "<U1000", "shape": [3000], "values": [""] * 3000}},
        ),
        "longer than its text",
    ),
    "array described twice": (
        put("standardizer", "fitted", "mean_", value=[{"array": "a0"}, {"array": "a0"}]),
        "describes 'a0' twice",
    ),
    "part described twice": (
        lambda parts: parts.pipeline["params"]["steps"].append(
            {"tuple": ["again", {"skops": parts.scaler}]}
        ),
        "describes 'parts/0.skops' twice",
    ),
    "weights described twice": (
        lambda parts: parts.pipeline["params"]["steps"].append(
            {"tuple": ["again", {"tensor": "n0"}]}
        ),
        "describes 'n0' twice",
    ),
    "frame of numbers that are repeated": (
        put("network", "fitted", "classes_", value={"frame": [["a", 0.5]], "index": None}),
        "a column that is no array",
    ),
    "frame of columns of several lengths": (
        put(
            "network",
            "fitted",
            "classes_",
            value={"frame": [["a", text_array("x")], ["b", text_array("x", "y")]]},
        ),
        "columns of several lengths",
    ),
    "shape that does not fit": (
        put(
            "network",
            "fitted",
            "classes_",
            value={"objects": {"type": "<U4", "shape": [10**12], "values": ["x"]}},
        ),
        "rebuilt",
    ),
    "array that is not there": (
        put("standardizer", "fitted", "mean_", value={"array": "a99"}),
        "describes 'a99', which it does not hold",
    ),
    "reference to nothing": (
        put("standardizer", "fitted", "mean_", value={"same": 99}),
        "object 99 before it is made",
    ),
    "nested without end": (
        put("description", "model", value=ENDLESS),
        "no estimator|rebuilt|nested",
    ),
    "model of no class": (put("description", "model", value={"dict": []}), "holds no estimator"),
    "no model": (drop("description", "model"), "holds no estimator"),
    # Weights.
    "larger layer": (
        put("network", "params", "hidden_layer_sizes", value={"tuple": [10**9]}),
        r"\(1000000000, 5\)",
    ),
    "layers without end": (
        put("network", "params", "hidden_layer_sizes", value={"tuple": [1] * 5000}),
        "more layers than it has weights",
    ),
    "weights of another shape": (
        weights(head__bias=torch.zeros(99)),
        r"head.bias is torch.float32 of shape \(99,\)",
    ),
    "weights of another type": (
        weights(head__bias=torch.zeros(3, dtype=torch.float64)),
        "head.bias is torch.float64",
    ),
    "missing weights": (weights(head__bias=None), r"missing: \['head.bias'\]"),
    "foreign weights": (weights(tail__bias=torch.zeros(1)), r"no place: \['tail.bias'\]"),
    "overlapping arrays": (
        put("members", "arrays.safetensors", value=OVERLAPPING),
        "arrays.safetensors is damaged",
    ),
    "huge header of arrays": (
        put("members", "arrays.safetensors", value=struct.pack("<Q", 2**62) + b"{}"),
        "arrays.safetensors is damaged",
    ),
    "arrays out of the file": (
        put(
            "members",
            "arrays.safetensors",
            value=tensors({"a0": {"dtype": "F64", "shape": [9], "data_offsets": [0, 72]}}),
        ),
        "arrays.safetensors is damaged",
    ),
    "pickle as arrays": (
        put("members", "arrays.safetensors", value=pickle.dumps(Hostile())),
        "arrays.safetensors is damaged",
    ),
    "pickle as weights": (
        put("members", "weights.safetensors", value=pickle.dumps(Hostile())),
        "weights.safetensors is damaged",
    ),
    "more than described": (
        lambda parts: parts.members.update(
            {
                "arrays.safetensors": safetensors.numpy.save(
                    safetensors.numpy.load(parts.members["arrays.safetensors"]) | {"z": np.zeros(1)}
                )
            }
        ),
        "holds more than it describes: z",
    ),
    # Plain parts.
    "pickle as a plain part": (
        put("members", "parts/0.skops", value=pickle.dumps(Hostile())),
        "an archive inside it is damaged",
    ),
    "class of another package in a plain part": (
        plain(OfNoPackage()),
        "which is not of scikit-learn",
    ),
    "network in a plain part": (
        plain(PlainPipeline([("torch", TorchTransformer(torch.nn.Identity()))])),
        "part in the format of skops",
    ),
    "function in a plain part": (plain(FunctionTransformer(os.system)), "not of scikit-learn"),
    "function of numpy in a plain part": (
        plain(FunctionTransformer(np.savetxt)),
        "Untrusted types.*savetxt",
    ),
    "constructor in a plain part": (
        schema(lambda found: found.update(__loader__="ConstructorFromReduceNode")),
        "has a ConstructorFromReduceNode",
    ),
    "operator in a plain part": (
        schema(lambda found: found.update(__loader__="OperatorFuncNode", __module__="operator")),
        "OperatorFuncNode|operator",
    ),
    "other class in a plain part": (
        schema(lambda found: found.update(__module__="subprocess", __class__="Popen")),
        "'subprocess.Popen', which is not of scikit-learn",
    ),
    "private class of scikit-learn in a plain part": (
        schema(lambda found: found.update(__module__="sklearn.utils._testing", __class__="_X")),
        "Untrusted types",
    ),
    "bins of trees in a plain part": (plain(_BinMapper()), "binning._BinMapper', which is not"),
    "large array named again in a plain part": (repeat_arrays, "names its arrays too often"),
    "list as a plain part": (plain([1, 2]), "no plain estimator of scikit-learn, but list"),
    "cache in a plain part": (
        plain(PlainPipeline([("scale", FITTED)], memory="/tmp/evil")),
        "no plain estimator",
    ),
    "method of a plain part": (
        plain(changed(StandardScaler(), transform=np.negative)),
        "transform is no result of fitting StandardScaler",
    ),
    "method deep in a plain part": (
        plain(PlainPipeline([("scale", changed(StandardScaler(), transform=np.negative))])),
        "transform is no result of fitting StandardScaler",
    ),
    "parameter out of bounds in a plain part": (plain(SVC(C=-5)), "'C' parameter of SVC"),
    "unknown parameter in a plain part": (plain(SVC(kernel="nope")), "'kernel' parameter of SVC"),
    # The description.
    "version of the future": (put("description", "format", value=99), r"by a newer serkit"),
    "version of no kind": (put("description", "format", value="2"), "no version writes"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_tampered_files_are_refused(case, tampered, nothing_runs):
    change, message = TAMPERED[case]
    global _events
    _events = None  # the file is written before
    path = tampered(change)
    _events = []
    with pytest.raises(ModelFileError, match=message) as caught:
        serkit.load(path)
    assert str(path) in str(caught.value)


X, Y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
N_VECTORS = len(SVC().fit(X, Y).support_)
AT_THE_END = np.random.RandomState(0)
AT_THE_END.set_state(("MT19937", np.zeros(624, np.uint32), 10**6))
CRASHING = {
    "negative numbers of support vectors": (
        SVC(),
        {"_n_support": np.array([N_VECTORS + 2 * 10**8, -(10**8), -(10**8)], np.int32)},
        "the numbers of support vectors",
    ),
    "more support vectors than there are": (
        SVC(),
        {"_n_support": np.array([10**6] * 3, np.int32)},
        "the support vectors",
    ),
    "more classes of support vectors": (
        SVC(),
        {"_n_support": np.array([N_VECTORS, 0, 0, 0], np.int32)},
        "the numbers of support vectors",
    ),
    "fewer coefficients": (SVC(), {"_dual_coef_": np.zeros((1, 1))}, "the coefficients"),
    "coefficients without end": (
        SVC(),
        {"_dual_coef_": np.full((2, N_VECTORS), np.nan)},
        "the coefficients",
    ),
    "fewer intercepts": (SVC(), {"_intercept_": np.zeros(1)}, "the intercepts"),
    "fewer probabilities": (SVC(), {"_probA": np.zeros(1)}, "the probabilities"),
    "narrower support vectors": (
        SVC(),
        {"support_vectors_": np.zeros((N_VECTORS, 1))},
        "the support vectors",
    ),
    "fewer coefficients of a regressor": (
        SVR(),
        {"_dual_coef_": np.zeros((1, 1))},
        "the coefficients",
    ),
    "columns of no kernel": (
        SVC(kernel="precomputed"),
        {"shape_fit_": (1, 1)},
        "the support vectors",
    ),
    "fewer targets of neighbours": (KNeighborsClassifier(), {"_y": Y[:1]}, "the targets"),
    "targets of no class": (KNeighborsClassifier(), {"_y": Y + 10**6}, "the targets"),
    "narrower neighbours": (KNeighborsClassifier(), {"_fit_X": X[:, :1].copy()}, "the neighbours"),
    "narrower centers": (KMeans(2), {"cluster_centers_": np.zeros((2, 1))}, "centers"),
    "fewer columns": (OneHotEncoder(), {"_n_features_outs": [1, 1, 1, 1]}, "the columns"),
    "dropped category of none": (
        OneHotEncoder(drop="first"),
        {"_drop_idx_after_grouping": np.array([0, 0, 0, 99], object)},
        "the dropped categories",
    ),
    "rare category of none": (
        OneHotEncoder(max_categories=5),
        {"_default_to_infrequent_mappings": [np.full(30, 10**6)] * 4},
        "the rare categories",
    ),
    "random numbers beyond the last": (SVC(), {"random_state": AT_THE_END}, "the position"),
}


@pytest.mark.parametrize("as_node", [False, True])
@pytest.mark.parametrize("case", CRASHING)
def test_what_would_crash_compiled_code_is_refused(case, as_node, monkeypatch):
    estimator, attributes, message = CRASHING[case]
    square = getattr(estimator, "kernel", None) == "precomputed"
    estimator = clone(estimator).fit(X @ X.T if square else X, Y)
    if as_node:
        monkeypatch.setattr("serkit.persistence._encode.is_plain", lambda value: False)
    encoder = Encoder()
    rebuild(encoder.encode(estimator), encoder.arrays, encoder.weights, encoder.parts)
    encoder = Encoder()
    model = encoder.encode(changed(estimator, **attributes))
    with pytest.raises(ModelFileError, match=f"{message} cannot be what fitting leaves behind"):
        rebuild(model, encoder.arrays, encoder.weights, encoder.parts)


def test_a_file_does_not_say_how_many_threads_there_are():
    encoder = Encoder()
    model = encoder.encode(changed(KMeans(2).fit(X), _n_threads=10**9))
    loaded = rebuild(model, encoder.arrays, encoder.weights, encoder.parts)
    assert loaded._n_threads == KMeans(2).fit(X)._n_threads


LONG_TEXT = {"dtype": "<U100000000", "shape": [5], "values": ["a"] * 5}
MUCH_TEXT = {"dtype": "<U1000", "shape": [3000], "values": [""] * 3000}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"array": LONG_TEXT}, "longer than its text"),
        ({"array": MUCH_TEXT}, "longer than its text"),
        ({"frame": [["a", 0.5]]}, "a column that is no array"),
    ],
)
def test_format_1_takes_no_more_memory_than_its_values(value, message, tmp_path):
    header = {
        "format": 1,
        "class": "MLPClassifier",
        "parameters": {},
        "attributes": {"classes_": value},
    }
    path = tmp_path / "model.safetensors"
    path.write_bytes(weights_to_bytes({"x": torch.zeros(1)}, {"serkit": json.dumps(header)}))
    with pytest.raises(ModelFileError, match=message):
        serkit.load(path)


def archive_of(entries):
    """Return the bytes of an archive of (name or ZipInfo, content) pairs."""
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as archive:
        warnings.simplefilter("ignore")
        for entry, content in entries:
            archive.writestr(entry, content)
    return data.getvalue()


def entries_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(zipfile.ZipInfo(name), archive.read(name)) for name in archive.namelist()]


def with_entry(name, content=b"x", **attributes):
    def change(data):
        entry = zipfile.ZipInfo(name)
        for attribute, value in attributes.items():
            setattr(entry, attribute, value)
        return archive_of([*entries_of(data), (entry, content)])

    return change


def rewritten(change):
    """Return a change of the text of the description."""

    def changed(data):
        entries = entries_of(data)
        return archive_of([(entries[0][0], change(entries[0][1])), *entries[1:]])

    return changed


def without(name):
    return lambda data: archive_of(
        [(entry, content) for entry, content in entries_of(data) if entry.filename != name]
    )


def claim_size(data):
    """Let a member say that it is larger than the file."""
    at = data.rindex(b"PK\x01\x02")  # in the directory, the last member
    return data[: at + 20] + struct.pack("<II", 2**31, 2**31) + data[at + 28 :]


LINK = (stat.S_IFLNK | 0o777) << 16
ARCHIVES = {
    "empty": (lambda data: b"", "damaged"),
    "text": (lambda data: b"no model", "damaged, or neither an archive"),
    "pickle": (lambda data: pickle.dumps(Hostile()), "damaged, or neither an archive"),
    "beginning cut off": (lambda data: data[100:], "damaged"),
    "end cut off": (lambda data: data[:-100], "is damaged|does not write"),
    "first part only": (lambda data: data[:200], "the archive is damaged"),
    "changed byte": (lambda data: data.replace(b"head.bias", b"head.bIas", 1), "damaged|digest"),
    "other content": (
        lambda data: archive_of(
            [
                (entry, content[:-1] + b"\x01" if entry.filename.endswith("tensors") else content)
                for entry, content in entries_of(data)
            ]
        ),
        "the digest of .* differs",
    ),
    "way out of the folder": (with_entry("../../evil.py"), r"does not write: '../../evil.py'"),
    "absolute path": (with_entry("/etc/evil"), "does not write: '/etc/evil'"),
    "other member": (with_entry("parts/evil.pkl"), "does not write: 'parts/evil.pkl'"),
    "unlisted member": (with_entry("parts/77.skops"), "does not list: parts/77.skops"),
    "same member twice": (
        with_entry("weights.safetensors"),
        "'weights.safetensors' is there twice",
    ),
    "description twice": (with_entry("model.json", b"{}"), "'model.json' is there twice"),
    "link": (with_entry("parts/9.skops", external_attr=LINK), "is a link"),
    "compressed bomb": (
        with_entry("parts/9.skops", b"0" * 10**7, compress_type=zipfile.ZIP_DEFLATED),
        "is compressed",
    ),
    "size that is not there": (claim_size, "larger than the file"),
    "member missing": (without("weights.safetensors"), "members are missing: weights.safetensors"),
    "no description": (without("model.json"), r"not written by serkit\.save"),
    "bottomless description": (rewritten(lambda text: b"[" * 200_000), "nested too deeply"),
    "broken description": (rewritten(lambda text: text[:-1]), "JSON is damaged"),
    "description of no text": (rewritten(lambda text: b"\xff\xfe" + text), "JSON is damaged"),
    "name twice": (
        rewritten(lambda text: text[:-1] + b',"model":{}}'),
        "a name twice in one object",
    ),
    "infinite number": (
        rewritten(lambda text: text.replace(b'"format":2', b'"format":Infinity')),
        "the number Infinity",
    ),
    "list as description": (rewritten(lambda text: b"[]"), "no JSON object"),
    "no list of members": (
        rewritten(lambda text: text.replace(b'"members"', b'"mumbers"')),
        "does not list the members",
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_damaged_and_hostile_archives_are_refused(case, original, tmp_path, nothing_runs):
    change, message = ARCHIVES[case]
    global _events
    _events = None
    path = tmp_path / "model.serkit"
    path.write_bytes(change(original[0]))
    _events = []
    with pytest.raises(ModelFileError, match=message) as caught:
        serkit.load(path)
    assert str(path) in str(caught.value)


def test_the_untouched_file_loads(tampered, nothing_runs):
    global _events
    _events = None
    path = tampered(lambda parts: None)
    _events = []
    assert serkit.load(path)[1:].predict(np.zeros((1, 5))).shape == (1,)


def test_the_net_would_catch_what_runs(tmp_path, nothing_runs):
    """A check of the check: a pickle that runs a command is an event."""
    global _events
    pickle.loads(pickle.dumps(np.zeros(1)))
    assert "pickle.find_class" in {event for event, _ in _events}
    _events = []


@pytest.mark.parametrize("estimator", [SVC(), LogisticRegression()])
def test_nothing_is_trusted_beyond_what_skops_trusts(estimator):
    data = skops.io.dumps(estimator)
    assert skops.io.get_untrusted_types(data=data) == []


@pytest.mark.parametrize("name", ["versions", "data", "card"])
def test_what_a_file_says_is_an_object_or_nothing(name, tampered):
    path = tampered(put("description", name, value=["<script>"]))
    with pytest.raises(ModelFileError, match=f"says of its {name} is no JSON object"):
        serkit.persistence.describe(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        serkit.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        serkit.persistence.describe(tmp_path / "nothing")
