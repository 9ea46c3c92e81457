"""A number over the runs of a pipeline: a metric, how long something took, how many rows there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.store.run_numbers import Point

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_pipelines.store.run_questions import Question

MOST_SHOWN = 400  # points in a picture


@dataclass(frozen=True)
class Trend:
    """``points`` are oldest first. ``name`` is ``duration``, ``STEP.duration``, a metric, or ``STEP.METRIC``."""

    pipeline: str
    name: str
    points: tuple[Point, ...]
    known: tuple[str, ...] = ()  # what else there is a trend of

    @classmethod
    def of(cls, question: Question, name: str) -> Trend:
        """The trend over the runs that are asked for. Raises :class:`RequestError` unless they are of one pipeline."""
        pipeline = question.filters.get("pipeline")
        if not isinstance(pipeline, str):
            raise RequestError("A trend is about the runs of one pipeline.", 'jp.runs("nb.ipynb").trend("duration")')
        index = RunIndex(Store(Settings.load().store).root)
        found = index.trend(pipeline, name, question.since, question.until)
        states = question.filters.get("state")
        wanted = [states] if isinstance(states, str) else states
        points = tuple(point for point in found if wanted is None or point.state in wanted)
        lasted = (f"{step}.duration" for step in index.usual_seconds(pipeline))
        return cls(pipeline, name, points, ("duration", *lasted, *index.names_of_numbers(pipeline)))

    def shown(self, most: int = MOST_SHOWN) -> Sequence[Point]:
        """At most about ``most`` of the points: of many beside each other the lowest and the highest."""
        if len(self.points) <= most:
            return self.points
        size = -(-len(self.points) * 2 // most)
        kept: list[Point] = []
        for start in range(0, len(self.points), size):
            part = range(start, min(start + size, len(self.points)))
            ends = {min(part, key=self._value), max(part, key=self._value)}
            kept += [self.points[place] for place in sorted(ends)]
        return kept

    def _value(self, place: int) -> float:
        return self.points[place].value

    def to_pandas(self) -> pd.Series[float]:
        """The numbers by the time at which their runs started."""
        import pandas as pd

        index = pd.to_datetime([point.moment for point in self.points], unit="s", utc=True)
        return pd.Series([point.value for point in self.points], index=index, name=self.name, dtype=float)

    def __repr__(self) -> str:
        from jupyter_pipelines.results.showing.text import describe_trend

        return describe_trend(self)

    def _repr_html_(self) -> str:
        from jupyter_pipelines.results.showing.trends import trend_html

        return trend_html(self)
