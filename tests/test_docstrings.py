"""Everything public has a numpydoc docstring; every fitted attribute is documented."""

import importlib
import inspect
import warnings

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

import serkit
import serkit.testing
from serkit.testing import make_input

#: Not asked for: extended summaries, examples and "See Also" of every method,
#: full stops behind parameter descriptions, and return names.
IGNORED = {
    "ES01", "EX01", "SA01", "SA04", "GL01", "GL02", "GL03", "GL08",
    "PR06", "PR08", "PR09", "RT02", "RT03", "RT04", "RT05", "SS05", "SS06", "YD01", "PR02",
}  # fmt: skip


def public_objects():
    for room in serkit.__all__:
        if room == "__version__":
            continue
        module = importlib.import_module(f"serkit.{room}")
        assert module.__doc__, f"serkit.{room} has no docstring"
        for name in module.__all__:
            found = getattr(module, name)
            if not (inspect.isclass(found) or inspect.isfunction(found)):
                continue
            yield f"{found.__module__}.{found.__qualname__}"
            for attribute, member in vars(found).items() if inspect.isclass(found) else ():
                # What callbacks do is told by skorch's names, on_epoch_end and the like.
                if not attribute.startswith(("_", "on_")) and inspect.isfunction(member):
                    yield f"{found.__module__}.{found.__qualname__}.{attribute}"


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_docstring(name):
    result = validate(name)
    assert result["docstring"].strip(), "no docstring"
    errors = [f"{code}: {text}" for code, text in result["errors"] if code not in IGNORED]
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize(
    "estimator", serkit.testing.test_instances(), ids=lambda estimator: type(estimator).__name__
)
def test_parameters_and_fitted_attributes_are_documented(estimator):
    documentation = ClassDoc(type(estimator))
    documented = {
        name.strip() for entry in documentation["Parameters"] for name in entry.name.split(",")
    }
    assert set(estimator.get_params(deep=False)) == documented
    X = make_input(estimator)
    y = np.arange(len(X)) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
    fitted = {name for name in vars(estimator) if name.endswith("_") and name[0] != "_"}
    assert fitted <= {entry.name for entry in documentation["Attributes"]}
