"""How two values differ, in words, whatever they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from jupyter_pipelines.results.differences import describe_difference

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [1.0, np.nan, 3.0]})
TWICE = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
NESTED = pd.DataFrame({"list": [np.arange(2), np.arange(3)]})
POINTS = np.array([(1, 2.0), (3, np.nan)], dtype=[("x", int), ("y", float)])


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (1, 3, "+2"),
        (0.5, 0.25, "-0.25"),
        ("a", "b", ""),
        (FRAME, FRAME.assign(a=[1, 2, 4]), "1 of 3 rows differ in a"),
        (FRAME, FRAME.assign(d=0).drop(columns="b"), "column d is new; column b is gone"),
        (FRAME, FRAME.head(2), "-1 rows"),
        (FRAME, FRAME.astype({"a": float}), "column a is float64, was int64"),
        (FRAME, FRAME.set_index("a", drop=False), "the index differs"),
        (FRAME, FRAME[["b", "a", "c"]], "the columns are in another order"),
        (FRAME, FRAME.rename_axis("row"), ""),
        (TWICE, TWICE + 1, "2 of 2 rows differ in a, a"),
        (NESTED, NESTED.iloc[[1, 0]].reset_index(drop=True), "2 of 2 rows differ"),
        (FRAME.b.astype("category"), FRAME.b.fillna("y").astype("category"), "column its values has other categories"),
        (FRAME.a, FRAME.a + 1, "3 of 3 rows differ"),
        (
            pd.DataFrame({"at": pd.to_datetime(["2024-01-01"], utc=True)}),
            pd.DataFrame({"at": pd.to_datetime(["2024-01-01"], utc=True).tz_convert("Asia/Tokyo")}),
            ", Asia/Tokyo], was datetime64[",
        ),
        (FRAME.set_index(["a", "b"]), FRAME.set_index(["a", "c"]), "column b is new; column c is gone"),
        (pd.DataFrame(), pd.DataFrame(index=[1]), "+1 rows"),
        (pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1, 2]}), "1 of 2 rows differ in a"),
        (pl.DataFrame({"a": [[1], [2]]}), pl.DataFrame({"a": [[1], [3]]}), "1 of 2 rows differ in a"),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1.0]}), "column a is Float64, was Int64"),
        (pl.Series("s", [1, 2]), pl.Series("s", [1, 3]), "1 of 2 rows differ"),
        (pa.table({"a": [1]}), pa.table({"a": [1, 2]}), "+1 rows"),
        (pa.table({"a": [1], "b": [1]}), pa.table({"a": [1], "b": [2]}), "rows differ in b"),
        (np.array([1.0, np.nan]), np.array([2.0, np.nan]), "1 of 2 elements differ"),
        (np.zeros(2), np.zeros(3), "shape (2,) against (3,)"),
        (np.zeros(2), np.zeros(2, int), "int64, was float64"),
        (POINTS, POINTS[::-1], "2 of 2 elements differ"),
        (np.float64(1), np.float64(2), "+1"),
    ],
)
def test_a_difference_is_told_in_words(first: Any, second: Any, told: str) -> None:
    said = describe_difference(first, second)
    assert told in said if told else said == ""
