"""What goes in comes out: every kind of value is carried through a real hand-over, from one kernel to another."""
# ruff: noqa: E501  (one value, one line)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_pipelines.execution.containers import load_values

SETUP = """
import array, collections, dataclasses, datetime, decimal, enum, fractions, functools, io, itertools, math, operator
import pathlib, random, re, types, typing, uuid, zoneinfo
import numpy as np, pandas as pd, polars as pl, pyarrow as pa, scipy.sparse
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

@dataclasses.dataclass
class Point:
    x: int
    y: list = dataclasses.field(default_factory=list)

@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    x: int

class Colour(enum.Enum):
    RED = 1
    BLUE = "b"

class Flag(enum.Flag):
    A = 1
    B = 2

class Level(enum.IntEnum):
    LOW = 1

class Pair(typing.NamedTuple):
    a: int
    b: str = "b"

class Slotted:
    __slots__ = ("__hidden", "a")
    def __init__(self):
        self.a, self.__hidden = 1, 2

class Words(list):
    pass

class Counts(dict):
    kind = "counts"

class Metres(float):
    pass

class TaggedArray(np.ndarray):
    pass

class TaggedFrame(pd.DataFrame):
    _metadata = ["source"]
    @property
    def _constructor(self):
        return TaggedFrame

class Failure(Exception):
    def __init__(self, code, *, detail):
        super().__init__(f"code {code}")
        self.code, self.detail = code, detail

class Outer:
    class Inner:
        def __init__(self):
            self.v = 1

def make(made, **attributes):
    for name, value in attributes.items():
        setattr(made, name, value)
    return made

def counter():
    n = 0
    def bump(by=1, *, times=1):
        "Count."
        nonlocal n
        n += by * times
        return n
    bump()
    bump.note = [1]
    return bump

def local_class():
    class Local:
        limit = 3
        def __init__(self): self.v = self.limit
        def double(self): return self.v * 2
        @property
        def triple(self): return self.v * 3
        @staticmethod
        def four(): return 4
        @classmethod
        def five(cls): return cls.limit + 2
    return Local

def draw(axes_only=False):
    fig, (left, right) = plt.subplots(1, 2, figsize=(4, 2))
    left.plot([1, 3, 2], label="line"); left.legend(); right.imshow(np.eye(3)); fig.suptitle("two")
    plt.close(fig)
    return left if axes_only else fig

def recursive():
    held = [1]; held.append(held); return held

def fitted(model):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"n": rng.normal(size=200), "c": rng.choice(["a", "b"], 200)})
    return model.fit(X, (X.n > 0).astype(int))

def columns(*, model):
    return make_pipeline(ColumnTransformer([("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(), ["c"])]), model)
"""

VALUES = {
    # plain Python
    "integer": "10**40",
    "boolean": "True",
    "none": "None",
    "ellipsis": "...",
    "real": "-0.0",
    "not_a_number": "float('nan')",
    "imaginary": "complex(float('nan'), -0.0)",
    "text": "'é\\u202e\\ud800 😀\\0'",
    "data": "b'\\0\\xff' * 50_000",
    "mutable_data": "bytearray(b'abc')",
    "view_of_data": "memoryview(b'abc')",
    "nested": "{'a': [1, (2, {3}), frozenset({4})], None: {}}",
    "sets": "[{'a', 'b', 3, None}, set(), frozenset(range(100))]",
    "ranges": "[range(3, 30, 3), slice(1, None, 2)]",
    "refers_to_itself": "recursive()",
    "deep": "functools.reduce(lambda held, _: [held], range(300), [])",
    "ordered": "collections.OrderedDict(b=1, a=2)",
    "defaults": "collections.defaultdict(list, a=[1])",
    "defaults_of_lambda": "collections.defaultdict(lambda: [0], a=[1])",
    "counts": "collections.Counter('abca')",
    "queued": "collections.deque([1, 2], maxlen=3)",
    "chained": "collections.ChainMap({'a': 1}, {'b': 2})",
    "numbers": "array.array('d', [1.5, float('nan')])",
    "dates": "[datetime.date(2024, 2, 29), datetime.datetime(2024, 3, 10, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo('Europe/Paris')), datetime.timedelta(days=-1, microseconds=1), datetime.time(1, tzinfo=datetime.timezone.utc)]",
    "exact": "[decimal.Decimal('1.10'), fractions.Fraction(1, 3), uuid.UUID(int=5)]",
    "paths": "[pathlib.Path('a/b'), pathlib.PurePosixPath('/x')]",
    "pattern": "re.compile(r'(a)\\d+', re.I)",
    "namespace": "types.SimpleNamespace(a=1, b=types.SimpleNamespace())",
    "proxy": "types.MappingProxyType({'a': [1]})",
    "keys_of_dict": "{'a': 1}.keys()",
    "items_of_dict": "{'a': 1}.items()",
    "iterator": "make_iterator()",
    "random_generator": "random.Random(3)",
    "partial": "functools.partial(sorted, key=len, reverse=True)",
    "bound_method": "Point(1, [2]).__eq__",
    "getter": "operator.itemgetter(1, 2)",
    "module": "math",
    "builtin_function": "len",
    "library_function": "np.mean",
    "library_class": "collections.OrderedDict",
    "in_memory_file": "io.StringIO('some\\ntext')",
    "in_memory_bytes": "io.BytesIO(b'some')",
    "hints": "[list[int], typing.Optional[int], int | None]",
    # of the notebook
    "dataclass": "Point(1, [2])",
    "frozen_dataclass": "Fixed(3)",
    "enum_member": "[Colour.RED, Colour.BLUE, Flag.A | Flag.B, Level.LOW]",
    "named_tuple": "Pair(1)",
    "slotted": "Slotted()",
    "list_subclass": "make(Words([1, 2]), tag='t')",
    "dict_subclass": "make(Counts(a=1), tag='t')",
    "float_subclass": "make(Metres(1.5), tag='t')",
    "inner_class": "Outer.Inner()",
    "exception": "make(Failure(3, detail='d'), extra=1)",
    "exception_with_cause": "make(ValueError('v'), __cause__=KeyError('k'))",
    "os_error": "FileNotFoundError(2, 'No such file', 'x')",
    "lambda_": "[lambda v, k=2: v * k * math.pi]",
    "closure": "counter()",
    "function_by_name": "[make]",
    "class_by_name": "[Point, Outer.Inner]",
    "local_instance": "local_class()()",
    "dynamic_named_tuple": "collections.namedtuple('Dyn', 'a b', defaults=[3])(1)",
    "dynamic_enum": "list(enum.Enum('Dyn', 'A B'))",
    "dynamic_dataclass": "dataclasses.make_dataclass('Dyn', [('a', int)])(1)",
    # numpy
    "numpy_scalars": "[np.float32(1.1), np.int8(-3), np.bool_(True), np.datetime64('NaT', 's'), np.timedelta64(3, 'm'), np.str_('s'), np.complex64(1j), np.void(b'ab')]",
    "vector": "np.arange(5.0)",
    "zero_dimensional": "np.array(3)",
    "empty_array": "np.empty((0, 3))",
    "large_array": "np.arange(100_000).reshape(100, 1000)",
    "fortran_order": "np.asfortranarray(np.arange(60_000.0).reshape(200, 300))",
    "strided": "np.arange(100_000)[::3]",
    "read_only": "(lambda a: (a.setflags(write=False), a)[1])(np.arange(50_000))",
    "big_endian": "np.arange(50_000, dtype='>i4')",
    "half": "np.array([1.5, np.nan, np.inf], dtype=np.float16)",
    "texts": "np.array(['a', 'ünï', ''])",
    "moments": "np.array(['2024-01-01', 'NaT'], dtype='datetime64[D]')",
    "structured": "np.array([(1, 'a', 2.5), (2, 'b', np.nan)], dtype=[('n', 'i4'), ('s', 'U5'), ('f', 'f8')])",
    "records": "np.rec.array([(1, 'a')], names='n,s')",
    "objects": "np.array([1, 'a', None, [1, 2], {'k': np.arange(3)}], dtype=object)",
    "object_texts": "np.array([f'text {i}' for i in range(500)] + [None, float('nan')], dtype=object)",
    "object_codes": "np.array(['a', 'b', None] * 300, dtype=object).reshape(3, 300)",
    "object_texts_hostile": "np.array(['\\x1f', '\\n', '\\0', ''] + [f'\\ud800{i}' for i in range(100)], dtype=object)",
    "object_numbers": "np.array([1, 1.0, True, 0.0, -0.0, 'x'] * 50, dtype=object)",
    "masked": "np.ma.array([1.0, np.nan, 3.0], mask=[0, 1, 0], fill_value=-1)",
    "masked_without_mask": "np.ma.array([1, 2])",
    "masked_hard": "np.ma.array([1, 2], mask=[1, 0], hard_mask=True)",
    "masked_large": "np.ma.masked_greater(np.arange(50_000), 25_000)",
    "array_subclass": "make(np.arange(3).view(TaggedArray), unit='m')",
    "matrix": "np.matrix([[1, 2]])",
    "numpy_generator": "np.random.default_rng(3)",
    "numpy_random_state": "np.random.RandomState(3)",
    "dtype": "np.dtype([('a', 'i4')])",
    "ufunc": "np.add",
    "sparse_matrix": "scipy.sparse.random(200, 200, density=0.1, random_state=0, format='csr')",
    # pandas
    "frame": "pd.DataFrame({'i': [1, 2], 'f': [1.5, np.nan], 's': ['a', None], 'd': pd.to_datetime(['2024-01-01', None]), 'b': [True, False]})",
    "frame_large": "pd.DataFrame({'i': range(20_000), 'f': np.linspace(0, 1, 20_000), 's': [f's{i % 7}' for i in range(20_000)]})",
    "frame_objects": "pd.DataFrame({'o': pd.Series([1, 'a', [2]], dtype=object), 't': pd.Series(['x', 'y', 'x'] * 1, dtype=object)})",
    "frame_duplicate_columns": "pd.DataFrame([[1, 2]], columns=['a', 'a'])",
    "frame_attrs": "make(pd.DataFrame({'a': [1]}), attrs={'source': 'x'})",
    "frame_without_columns": "pd.DataFrame(index=[1, 2])",
    "frame_subclass": "make(TaggedFrame({'a': [1]}), source='s')",
    "categorical": "pd.Series(pd.Categorical(['b', 'a', None], categories=['b', 'a', 'c'], ordered=True), name='c')",
    "zoned_index": "pd.Series([1, 2, 3], index=pd.date_range('2024-03-30', periods=3, freq='D', tz='Europe/Berlin', name='when'))",
    "multi_index": "pd.DataFrame({'v': [1, 2, 3]}, index=pd.MultiIndex.from_tuples([('a', 1), ('a', 2), ('b', 1)], names=['k', None]))",
    "multi_columns": "pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_product([['x'], ['a', 'b']]))",
    "intervals": "pd.Series(pd.interval_range(0, 3))",
    "periods": "pd.Series(pd.period_range('2024-01', periods=3, freq='M'))",
    "nullable": "pd.DataFrame({'i': pd.array([1, None], dtype='Int64'), 'b': pd.array([True, None], dtype='boolean'), 'f': pd.array([1.5, None], dtype='Float64')})",
    "sparse_column": "pd.DataFrame({'s': pd.arrays.SparseArray([0, 0, 1, 0])})",
    "arrow_columns": "pd.DataFrame({'l': pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), 'd': pd.Series([1, 2], dtype='int64[pyarrow]'), 's': pd.Series(['a', None], dtype='string[pyarrow]')})",
    "python_strings": "pd.Series(['a', None] * 100, dtype=pd.StringDtype('python'))",
    "object_series": "pd.Series([{'a': 1}, [2], None, 'x'])",
    "timestamps": "[pd.Timestamp('2024-01-01', tz='UTC'), pd.NaT, pd.NA, pd.Timedelta('1h'), pd.Period('2024-01'), pd.Interval(0, 1)]",
    "range_index": "pd.RangeIndex(3, 9, 2, name='r')",
    "grouped": "pd.DataFrame({'k': ['a', 'b'], 'v': [1, 2]}).groupby('k').agg(['sum', 'mean'])",
    # other libraries
    "polars_frame": "pl.DataFrame({'a': [1, None], 'f': [1.0, float('nan')], 's': ['x', 'y'], 'l': [[1], [2, 3]], 'c': pl.Series(['u', 'v'], dtype=pl.Categorical)})",
    "polars_series": "pl.Series('n', [datetime.date(2024, 1, 1), None])",
    "polars_lazy": "pl.LazyFrame({'a': [1, 2]}).filter(pl.col('a') > 1)",
    "arrow_table": "pa.table({'a': [1, None], 'f': [1.0, float('nan')], 'd': pa.array(['x', 'y']).dictionary_encode()})",
    "arrow_array": "pa.array([[1, 2], None])",
    "arrow_bitmap": "pd.Series(['a', 'b'] * 50).astype('category')",
    "estimator": "LogisticRegression(C=0.5)",
    "fitted_pipeline": "fitted(columns(model=LogisticRegression()))",
    "fitted_forest": "fitted(columns(model=RandomForestClassifier(n_estimators=5, random_state=0)))",
    "fitted_boosting": "HistGradientBoostingRegressor(max_iter=5, random_state=0).fit(np.arange(200.0).reshape(-1, 1), np.arange(200.0))",
    "figure": "draw()",
    "axes": "draw(axes_only=True)",
}

MAKE = """
def make_iterator():
    it = iter([1, 2, 3]); next(it); return it
"""

COMPARE = """
import sys, json
difference = sys.modules["_jupyter_pipelines_kernel.comparison"].difference
found = {}
for name, expression in EXPRESSIONS.items():
    carried, expected = globals()[name], eval(expression)
    problem = difference(expected, carried, name)
    for show in (repr, type):
        try:
            one, other = show(expected), show(carried)
        except Exception:
            continue
        if problem is None and one != other and " at 0x" not in str(one) and name not in UNORDERED and "Local" not in str(one) and "Dyn" not in str(one):
            problem = f"{one} became {other}"
    found[name] = problem
checks = {
    "closure counts on": closure() == 2 and closure(2, times=2) == 6 and closure.note == [1] and closure.__doc__ == "Count.",
    "lambda reads globals": lambda_[0](1) == 2 * math.pi,
    "isinstance holds": isinstance(dataclass, Point) and enum_member[0] is Colour.RED and isinstance(inner_class, Outer.Inner),
    "functions by name": function_by_name[0] is make and class_by_name[0] is Point,
    "default of lambda": defaults_of_lambda["new"] == [0],
    "local class works": (local_instance.double(), local_instance.triple, local_instance.four(), type(local_instance).five()) == (6, 9, 4, 5),
    "dynamic named tuple": dynamic_named_tuple.b == 3 and dynamic_named_tuple._replace(a=2).a == 2,
    "dynamic enum": type(dynamic_enum[0])["B"] is dynamic_enum[1],
    "arrays can be written to": (vector.__setitem__(0, 9), large_array.__setitem__((0, 0), 9), vector[0] + large_array[0, 0])[2] == 18,
    "arrays can be resized": vector.resize(9) is None,
    "as much memory": arrow_bitmap.memory_usage(deep=True) == pd.Series(["a", "b"] * 50).astype("category").memory_usage(deep=True),
    "read-only stays": not read_only.flags.writeable,
    "fortran order stays": fortran_order.flags.f_contiguous,
    "recursion": refers_to_itself[1] is refers_to_itself,
    "cause": isinstance(exception_with_cause.__cause__, KeyError),
    "frames can be changed": (frame_large.__setitem__("i", frame_large["i"] + 1), frame_large.loc.__setitem__((0, "f"), 5.0), frame_large["f"][0])[2] == 5.0,
    "models predict": (fitted_pipeline.predict(pd.DataFrame({"n": [5.0, -5.0], "c": ["a", "b"]})) == [1, 0]).all(),
    "axes draw": axes.figure.canvas.draw() is None and len(axes.figure.axes) == 2,
}
print(json.dumps({"found": found, "checks": {name: bool(passed) for name, passed in checks.items()}}))
"""


@pytest.fixture(scope="module")
def handed_over(tmp_path_factory: pytest.TempPathFactory, notebook_class):
    """All values, carried from one step to the next, with what the next step found."""
    expressions = f"EXPRESSIONS = {VALUES!r}\nUNORDERED = {{'sets', 'nested', 'figure', 'axes'}}\n"
    steps = {
        "make": "\n".join(f"{name} = {expression}" for name, expression in VALUES.items()),
        "look": expressions + COMPARE,
    }
    notebook = notebook_class(tmp_path_factory.mktemp("types"), SETUP + MAKE, steps)
    made = notebook.run("make", outputs=tuple(VALUES))
    assert made.state == "completed", made.error
    looked = notebook.run("look", inputs=tuple(VALUES))
    assert looked.state == "completed", looked.error
    return notebook, made, json.loads(notebook.text(looked))


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_out_as_it_went_in(handed_over, name: str) -> None:
    _, _, seen = handed_over
    assert seen["found"][name] is None


def test_values_work_where_they_arrive(handed_over) -> None:
    _, _, seen = handed_over
    assert [check for check, passed in seen["checks"].items() if not passed] == []


def test_separate_values_do_not_belong_together(handed_over) -> None:
    _, made, _ = handed_over
    assert made.observed.aliases == ()


def test_values_can_be_looked_at_outside_of_the_kernel(handed_over) -> None:
    notebook, made, _ = handed_over
    own = {"lambda_", "closure", "array_subclass", "frame_subclass"}
    values = load_values(notebook.objects, {name: made.outputs[name] for name in VALUES if name not in own})
    assert values["nested"]["a"][0] == 1
    assert values["frame_large"].shape == (20_000, 3)
    assert vars(values["dataclass"])["y"] == [2]


def test_the_manifest_tells_people_what_there_is(handed_over) -> None:
    _, made, _ = handed_over
    assert made.outputs["frame_large"].summary == "20,000 rows x 3 columns"
    assert made.outputs["large_array"].summary == "(100, 1000) int64"
    assert made.outputs["dataclass"].type == "Point"
    assert Path(made.outputs["frame"].container).suffix in (".xxh3", ".blake2b")
