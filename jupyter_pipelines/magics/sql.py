"""``%%sql`` and ``%%check``: SQL in the warehouse, and what must hold of its tables."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand
from IPython.display import clear_output, display

from jupyter_pipelines.magics.errors import shown_in_cell
from jupyter_pipelines.magics.pipeline import is_step

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.checks import CheckReport
    from jupyter_pipelines.warehouse.session import Session

PATIENCE = 1.0  # seconds before it is said that a query goes on
_Result = TypeVar("_Result")


@magics_class
class SqlMagics(Magics):
    """The magics of the warehouse. They share one session: temporary tables of a cell are there in the next."""

    _session: Session | None = None

    @no_var_expand
    @cell_magic
    def sql(self, line: str, cell: str) -> object:
        """Run SQL in the warehouse, show or assign what it gives, or build a table of it.

        %%sql [--rows N]
        %%sql df << [--as pandas|polars|arrow]
        %%sql --table NAME [--materialize table|view|incremental|append|snapshot] [--unique-key a,b]
              [--time-column c] [--partition-by c] [--full-refresh]

        $name is the value of that name in the notebook; a DataFrame is read by its name. Below a line %%check stand
        checks of the table that is built: when one fails, the table stays as it was.
        """
        from jupyter_pipelines.notebook.sql_magic import read_sql_magic
        from jupyter_pipelines.results.showing import sql as showing
        from jupyter_pipelines.warehouse import cells

        magic = read_sql_magic(line)
        with shown_in_cell(self.shell, "sql", cell, magic.problems):
            made = self._run(lambda session, say: cells.run_sql_cell(session, magic, cell, self._names, say))
        if isinstance(made, cells.Looked):
            return showing.shown_rows(made) if made.columns else None
        if isinstance(made, cells.Assigned):
            self._names[magic.assign] = made.frame
            return None
        return showing.shown_build(made) if isinstance(made, cells.Built) else showing.shown_change(made)

    @no_var_expand
    @cell_magic
    def check(self, line: str, cell: str) -> None:
        """Check a table or a DataFrame; when a check fails, the notebook stops here, and so does its pipeline.

        %%check NAME
        id: not null, unique
        amount: between 0 and 10000 | warn > 0.1%
        customer_id: in raw.customers.customer_id
        ordered_at: within 2 days
        rows: > 0
        no_bad_day: select day from mart.orders group by day having count(*) < 10
        """
        from jupyter_pipelines.notebook.check_magic import read_check_magic
        from jupyter_pipelines.warehouse import cells

        understood = read_check_magic(line, cell)
        with shown_in_cell(self.shell, "check", cell, understood.problems):
            self._run(lambda session, say: cells.run_check_cell(session, understood, self._names, say))

    def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = self.shell.user_ns if self.shell is not None else {}
        return names

    def _run(self, work: Callable[[Session, Callable[[CheckReport], None]], _Result]) -> _Result:
        """Do ``work`` with the session, and show the reports that it gives, whether it raises or not."""
        from jupyter_pipelines.errors import Interrupted
        from jupyter_pipelines.results.showing.sql import shown_checks
        from jupyter_pipelines.warehouse import open_session

        if self._session is None:
            self._session = open_session()
        reports: list[CheckReport] = []
        try:
            with _told_that_it_goes_on(self._session):
                return work(self._session, reports.append)
        except KeyboardInterrupt:
            raise Interrupted("The query was interrupted; what it had begun to write is undone.") from None
        finally:
            for report in reports:
                display(shown_checks(report))  # type: ignore[no-untyped-call]  # IPython is typed in parts


@contextmanager
def _told_that_it_goes_on(session: Session) -> Iterator[None]:
    """Say how long a query has taken, and how far it is, once that is long. Nothing of it stays. Steps say nothing."""
    if is_step():
        yield
        return
    ended, began, said = threading.Event(), time.monotonic(), False

    def tell() -> None:
        nonlocal said
        pause = PATIENCE
        while not ended.wait(pause):
            said, pause = True, 1.0
            done = session.progress()
            so_far = f", and is {done:.0%} done" if done is not None else ""
            clear_output(wait=True)  # type: ignore[no-untyped-call]  # IPython is typed in parts
            seconds = time.monotonic() - began
            print(f"the query has run for {seconds:.0f} s{so_far}; interrupt the kernel to stop it")

    teller = threading.Thread(target=contextvars.copy_context().run, args=(tell,), daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
        if said:
            clear_output()  # type: ignore[no-untyped-call]
