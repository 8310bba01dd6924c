import cmath
import enum
import functools
import math
import subprocess
import sys
import threading
import types
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import make_scorer
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serkit.utils import describe_estimator, estimator_digest, source_digest
from serkit.utils._code import own_parts


def load(source, name="written_by_a_user"):
    module = types.ModuleType(name)
    exec(source, vars(module))
    return module


def digest(source):
    return estimator_digest(load(source).f)


USES = {
    "its text": "def f(x): return x + {}",
    "a default": "def f(x, y={}): return x + y",
    "a keyword default": "def f(x, *, y={}): return x + y",
    "a function inside": "def f(x):\n    def g(): return {}\n    return x + g()",
    "a helper": "def g(): return {}\ndef f(x): return x + g()",
    "a helper of a helper": "h = lambda: {}\ndef g(): return h()\ndef f(x): return g()",
    "a global": "table = dict(a=[{}])\ndef f(x): return x + table['a'][0]",
    "a global array": "import numpy as np\na = np.ones({})\ndef f(x): return x @ a",
    "a bound value": "def outer(y):\n    return lambda x: x + y\nf = outer({})",
    "a bound function": "def outer(g):\n    return lambda x: g(x)\nf = outer(lambda x: {})",
    "a remembering helper": (
        "import functools\n@functools.cache\ndef g(): return {}\ndef f(x): return x + g()"
    ),
    "what remembers": "import functools\n@functools.cache\ndef f(x): return {}",
    "what is decorated": (
        "import functools\ndef log(g):\n    @functools.wraps(g)\n"
        "    def h(*a): return g(*a)\n    return h\n@log\ndef f(x): return {}"
    ),
    "a decorator": (
        "import functools\ndef log(g):\n    @functools.wraps(g)\n"
        "    def h(*a): return g(*a) + {}\n    return h\n@log\ndef f(x): return x"
    ),
    "a partial": "import functools\nf = functools.partial(lambda x, y: x + y, {})",
    "a method": "class f:\n    def g(self): return {}",
    "a base class": "class A:\n    def g(self): return {}\nclass f(A): pass",
    "an attribute of a class": "class f:\n    size = {}",
    "a property": "class f:\n    @property\n    def g(self): return {}",
    "a static method": "class f:\n    @staticmethod\n    def g(): return {}",
    "a method with super": "class f(dict):\n    def g(self): return super().get({})",
    "an instance": "class A:\n    def g(self): return {}\nf = A()",
    "a method of an instance": "class A:\n    def g(self): return {}\nf = A().g",
    "a class that is used": "class A:\n    size = {}\ndef f(x): return A.size",
    "its own recursion": "def f(x): return f(x - 1) if x else {}",
    "mutual recursion": "def g(x): return f(x)\ndef f(x): return g(x - {})",
}


@pytest.mark.parametrize("source", USES.values(), ids=USES)
def test_code_of_the_user_counts_with_all_that_it_uses(source):
    one = digest(source.format(1))
    assert digest(source.format(1)) == one
    assert digest("# moved down\n\n" + source.format(1)) == one
    assert digest(source.format(2)) != one


def test_functions_of_the_users_other_modules_count(monkeypatch):
    def one_that_uses(value):
        helpers = load(f"def g(): return {value}", "users_helpers")
        monkeypatch.setitem(sys.modules, "users_helpers", helpers)
        return digest("import users_helpers\ndef f(x): return users_helpers.g()")

    assert one_that_uses(1) == one_that_uses(1) != one_that_uses(2)


def test_decorators_do_not_hide_code():
    source = "import functools, numpy\n@functools.wraps(numpy.mean)\ndef f(x): return {}"
    assert digest(source.format(1)) != digest(source.format(2))
    source = "from sklearn.utils import deprecated\n@deprecated('')\ndef f(x): return {}"
    assert digest(source.format(1)) != digest(source.format(2))


def test_what_is_not_used_does_not_count():
    assert digest("def g(): return 1\ndef f(x): return x") == digest("def f(x): return x")


def test_functions_on_one_line_differ():
    two = [FunctionTransformer(lambda X: X + 1), FunctionTransformer(lambda X: X * 2)]
    assert estimator_digest(two[0]) != estimator_digest(two[1])
    operations = [np.log, np.exp, abs, len, np.mean, functools.partial(np.mean, axis=0)]
    assert len({*map(estimator_digest, operations)}) == 6


def test_own_functions_in_scorers_count():
    def scorer(value):
        return make_scorer(load(f"def f(y, p): return {value}").f)

    assert estimator_digest(scorer(1)) == estimator_digest(scorer(1))
    assert estimator_digest(scorer(1)) != estimator_digest(scorer(2))


def test_installed_code_counts_with_its_version():
    name, _ = describe_estimator(StandardScaler())
    assert name.startswith("sklearn.preprocessing._data.StandardScaler 1.")
    assert describe_estimator(subprocess.run) == "subprocess.run"


def test_digests_of_own_code_are_equal_in_another_process():
    source = (
        "class A: size = {'b', 'a', 'c'}\ndef f(x, y=frozenset('xyz')): return A, x in {1, 'b'}"
    )
    code = (
        "import types\nfrom serkit.utils import estimator_digest\n"
        f"module = types.ModuleType('written_by_a_user')\nexec({source!r}, vars(module))\n"
        "print(estimator_digest(module.f))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert printed.decode().strip() == digest(source)


SCRIPT = """
from joblib import Parallel, delayed
from serkit.utils import estimator_digest
scale = {value}
def g(x): return scale * x
class A:
    def h(self): return g(1)
def f(x): return A().h() + g(x)
print(estimator_digest([f, A]), *Parallel(2)(delayed(estimator_digest)([f, A]) for _ in "a"))
"""


def test_scripts_and_their_workers_agree(tmp_path):
    digests = set()
    for value in (1, 2):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(value=value))
        printed = subprocess.run([sys.executable, script], capture_output=True, check=True).stdout
        in_parent, in_worker = printed.split()
        assert in_parent == in_worker
        digests.add(in_parent)
    assert len(digests) == 2


def test_what_has_no_key_is_refused():
    with pytest.raises(ValueError, match="cannot be digested .* no key"):
        estimator_digest(FunctionTransformer(kw_args={"rows": (row for row in range(3))}))
    itself = types.SimpleNamespace()
    itself.itself = itself
    with pytest.raises(ValueError, match="cannot be digested"):
        estimator_digest(itself)


def test_the_source_of_serkit_has_a_digest():
    assert len({source_digest(), source_digest("utils"), source_digest("preprocessing")}) == 3


class Mode(enum.Enum):
    LOW = 1
    HIGH = 2


class Kept:
    """A class that its own attributes lead back to."""

    def method(self):
        return REGISTRY


Kept.known = {"kept": Kept()}
REGISTRY = {"kept": Kept, "known": Kept.known}
REGISTRY["itself"] = REGISTRY
SETTINGS = SimpleNamespace(sign=1)
unused = 1


def by_mode(x, mode=Mode.LOW):
    return x if mode is Mode.HIGH else REGISTRY


def by_settings(x):
    return x.unused * SETTINGS.sign


def by_library(x):
    return math.sqrt(x)


def test_code_that_leads_back_to_itself_has_a_digest():
    for named in (Mode, Kept, by_mode):
        assert estimator_digest(named) == estimator_digest(named)
    assert estimator_digest(Mode.LOW) != estimator_digest(Mode.HIGH)


def test_global_objects_count_with_what_they_hold(monkeypatch):
    before = estimator_digest(by_settings)
    monkeypatch.setattr(SETTINGS, "sign", -1)
    assert estimator_digest(by_settings) != before


def test_attributes_are_not_taken_for_globals(monkeypatch):
    before = estimator_digest(by_settings)
    monkeypatch.setitem(by_settings.__globals__, "unused", 2)
    assert estimator_digest(by_settings) == before


def test_what_cannot_be_pickled_is_no_data(monkeypatch):
    monkeypatch.setitem(by_settings.__globals__, "SETTINGS", threading.Lock())
    assert estimator_digest(by_settings)


def test_packages_found_through_modules_count_with_their_version():
    (part, *_) = own_parts(by_library)
    assert part.data["math"].startswith("math")


def test_functions_of_one_name_differ_by_their_module():
    assert estimator_digest(math.sqrt) != estimator_digest(cmath.sqrt)
    assert estimator_digest({1: 2}) != estimator_digest({"1": 2})
