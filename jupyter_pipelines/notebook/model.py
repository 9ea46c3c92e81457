"""What reading a notebook gives: cells with their roles, parameters, options. Plain data, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Diagnostic

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.check_magic import CheckCell
    from jupyter_pipelines.notebook.sql_magic import SqlMagic


MAY_FAIL = "raises-exception"  # Jupyter's tag of a cell that may raise


def first_line(source: str) -> str:
    """The first non-blank line, shortened for messages."""
    line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return line if len(line) <= 60 else line[:57] + "…"


class Role(StrEnum):
    """What a cell is to the pipeline."""

    PARAMETERS = "parameters"
    SETUP = "setup"
    STEP = "step"
    SKIP = "skip"
    TEXT = "text"  # markdown and raw cells


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How a step is to be run; notebook-level options are the defaults of every step.

    Durations are in seconds. ``None`` means "not set".
    """

    retries: int = 0
    retry_delay: float = 0.0
    retry_backoff: float = 1.0  # each further delay is the one before times this
    retry_jitter: float = 0.0  # each is longer by up to this part of it, at random: who failed together come apart
    timeout: float | None = None
    cache: bool = True  # may `--reuse` and `resume` take this step's result from an earlier run
    env: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()  # it runs while it has a slot of each
    after: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()  # author's marks: what the analysis cannot see
    writes: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()  # author's mark: this step does not change these in place
    extra: Mapping[str, object] = field(default_factory=dict)  # Kale's limit, image, … kept as they are


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a notebook.

    ``index`` is 0-based, ``number`` is what users are told (index + 1). ``source`` is the author's text. ``code`` is
    what the kernel is given: the source without our own role magics (``%%step`` …), lines kept so that line numbers
    agree. ``python`` is ``code`` as plain Python after IPython's input transformation, again with line numbers kept;
    ``None`` when the cell is not Python (markdown, ``%%bash``, another language, a syntax error).
    """

    index: int
    id: str
    role: Role
    source: str
    code: str
    python: str | None
    step: str | None = None
    tags: tuple[str, ...] = ()
    cell_magic: str | None = None  # name of a foreign cell magic such as "time", "capture", "bash"
    cell_magic_line: str = ""  # its arguments
    sql: SqlMagic | None = None  # what a `%%sql` cell of ours asks for
    check: CheckCell | None = None  # what a `%%check` cell asks for, or the checks in one that builds a table

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def first_line(self) -> str:
        """The first non-blank line, shortened for messages."""
        return first_line(self.source)

    @property
    def may_fail(self) -> bool:
        """Whether its author lets it raise, by Jupyter's tag for that: what comes below runs all the same."""
        return MAY_FAIL in self.tags


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed parameter of the pipeline.

    ``schema`` is its JSON schema (draft 2020-12). ``annotation`` is the type as the author wrote it or as we inferred
    it from the default: ``int``, ``float | None``, ``Literal['a', 'b']``, ``Path`` … An Enum's default and choices are
    the names of its members. ``computed``: the default is an expression that only the notebook can evaluate, and
    ``default`` is ``None``. ``required``: the notebook gives a type but no value, so every run must give one.
    ``secret``: its value is not to be shown (see :mod:`jupyter_pipelines.notebook.secrecy`).
    """

    name: str
    annotation: str
    default: object
    schema: Mapping[str, object]
    description: str = ""
    choices: tuple[object, ...] = ()
    cell: int = 0  # index of the cell that declares it
    line: int = 1
    computed: bool = False
    required: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class NotebookOptions:
    """Settings of the whole pipeline, from ``nb.metadata.pipeline``."""

    name: str = ""
    description: str = ""
    files: tuple[str, ...] = ()  # glob patterns beside the notebook that belong to a version
    max_parallel: int | None = None
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    run_retries: int = 0  # how often a run that a schedule or trigger asked for is tried again as a whole
    run_retry_delay: float = 60.0
    run_retry_backoff: float = 2.0
    run_retry_jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class NotebookDocument:
    """A notebook, read and understood, whatever is wrong with it said in ``diagnostics``.

    ``steps`` maps each step's name to its options, in notebook order of first appearance; cells know their step.
    """

    name: str  # as users know it: the file's name
    language: str  # "python", "R", …
    kernel_name: str  # "" when the notebook names none
    cells: tuple[Cell, ...]
    steps: Mapping[str, StepOptions]
    parameters: tuple[Parameter, ...]
    options: NotebookOptions
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_python(self) -> bool:
        return self.language.lower() in {"python", "ipython", "python3", ""}

    def cell(self, number: int) -> Cell:
        """The cell users call ``number`` (1-based)."""
        return self.cells[number - 1]
