"""SQL read without a database: statements as they were written, the tables they touch, where columns come from.

Pure, and cached by the text. sqlglot is imported at the first use, so that notebooks without SQL do not pay for it.
"""

from __future__ import annotations

from jupyter_pipelines.graph.sql.model import Reference, SqlStatement
from jupyter_pipelines.graph.sql.statements import read_statements
from jupyter_pipelines.notebook.table_names import TableName

__all__ = ["Reference", "SqlStatement", "TableName", "read_statements"]
