"""IPython's own syntax, as its input transformation leaves it: ``get_ipython().run_line_magic(...)`` and friends."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from jupyter_pipelines.graph.events import FRESH, Ambient, Command, Flow, StarImport, State, Unknowable
from jupyter_pipelines.notebook.parsing import parse_python

if TYPE_CHECKING:
    from jupyter_pipelines.graph.statements import StatementWalker

_ENTRY_POINTS = frozenset({"system", "getoutput", "run_line_magic", "run_cell_magic", "magic"})
_TIMERS = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun"})
_CONFIGURING = frozenset(
    [
        "matplotlib",
        "config",
        "load_ext",
        "reload_ext",
        "unload_ext",
        "autoreload",
        "precision",
        "pprint",
        "colors",
        "xmode",
        "alias",
        "unalias",
        "alias_magic",
        "automagic",
        "autocall",
        "doctest_mode",
        "pdb",
    ]
)
_LOOKING = frozenset(["pinfo", "pinfo2", "psource", "pdef", "pdoc", "pfile", "page"])  # `name?` is the first of them
_HISTORY = frozenset(["history", "hist", "save", "notebook", "pastebin"])
_FROM_MAIN = re.compile(r"^\s*from __main__ import [^\n;]*[\n;]?", re.MULTILINE)
_NAMESPACE = frozenset(
    ["who", "who_ls", "whos", "reset", "reset_selective", "store", "xdel", "recall", "rerun", "macro"]
)
_COMMANDS = frozenset(
    [
        "bash",
        "sh",
        "script",
        "cmd",
        "system",
        "sx",
        "perl",
        "ruby",
        "pip",
        "conda",
        "mamba",
        "uv",
        "writefile",
        "file",
        "javascript",
        "js",
    ]
)
_INTERPOLATED = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})|\$([A-Za-z_]\w*)")
_OUTPUT_OPTIONS = re.compile(r"--(?:out|err|proc)[ =]([A-Za-z_]\w*)")
_TIMER_OPTIONS = re.compile(r"^(?:-(?:[nrpts]\s*\S+|[oqcaT])\s+)*")


def magic_call(walker: StatementWalker, node: ast.Call) -> Flow | None:
    """The flow of a call of IPython's machinery; ``None`` when it is none."""
    function = node.func
    if (
        not isinstance(function, ast.Attribute)
        or function.attr not in _ENTRY_POINTS
        or not isinstance(function.value, ast.Call)
        or not isinstance(function.value.func, ast.Name)
        or function.value.func.id != "get_ipython"
    ):
        return None
    for argument in node.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            walker.flow(argument)
    texts = [
        argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""
        for argument in node.args
    ]
    if function.attr in {"system", "getoutput"}:
        interpolate(walker, texts[0] if texts else "", node.lineno)
        walker.events.append(Command(node.lineno, walker.depth > 0, texts[0] if texts else ""))
    elif function.attr == "magic":
        name, _, line = (texts[0] if texts else "").lstrip("%").partition(" ")
        line_magic(walker, name, line, node.lineno)
    elif function.attr == "run_line_magic" and len(texts) >= 2:
        return line_magic(walker, texts[0], texts[1], node.lineno)
    elif function.attr == "run_cell_magic" and len(texts) >= 3:
        cell_magic(walker, texts[0], texts[1], texts[2], node.lineno)
    return FRESH


def interpolate(walker: StatementWalker, text: str, line: int) -> None:
    """Read the names that IPython fills into a command: ``{x.name}`` and ``$x``."""
    for expression, name in _INTERPOLATED.findall(text):
        source = expression or name
        try:
            tree = parse_python(source.partition("!r")[0].strip(), "eval")
        except SyntaxError:
            continue
        for child in ast.walk(tree):
            if isinstance(child, ast.Name):
                walker.read(child.id, line, maybe=True)


def _parse(source: str, line: int) -> list[ast.stmt]:
    """A piece of code inside a magic, every node at the magic's line; empty when it is not Python."""
    try:
        tree = parse_python(source)
    except (SyntaxError, ValueError):
        return []
    for child in ast.walk(tree):
        if hasattr(child, "lineno"):
            child.lineno += line - 1
    return tree.body


def line_magic(walker: StatementWalker, name: str, text: str, line: int) -> Flow:
    """A line magic's events, and its value's flow."""
    uncertain = walker.depth > 0
    if name in _TIMERS:
        code = _TIMER_OPTIONS.sub("", text)
        local = name in {"timeit", "prun"}
        body = _parse(code, line)
        if local:  # what timeit runs is a function of its own: assignments leave nothing
            body = [ast.copy_location(ast.If(ast.Constant(1), body, []), body[0])] if body else []
            walk_timed(walker, body)
        else:
            value = body[-1] if body else None
            walker.block(body[:-1] if isinstance(value, ast.Expr) else body)
            if isinstance(value, ast.Expr):
                return walker.flow(value.value)
        return FRESH
    interpolate(walker, text, line)
    if name in _CONFIGURING:
        walker.events.append(Ambient(line, uncertain, f"%{name} {text}".strip()))
    elif name in _LOOKING:
        for child in (child for statement in _parse(text.strip(), line) for child in ast.walk(statement)):
            if isinstance(child, ast.Name):
                walker.read(child.id, line, maybe=True)
    elif name == "pylab":
        walker.events.append(StarImport(line, uncertain, "pylab"))
    elif name in {"cd", "pushd", "popd"}:
        walker.events.append(State(line, uncertain, "cwd"))
    elif name in {"env", "set_env"} and text.strip():
        walker.events.append(State(line, uncertain, "os.environ"))
    elif name in {"run", "load", "edit"}:
        walker.events.append(StarImport(line, uncertain, f"%{name} {text}".strip()))
        walker.events.append(Command(line, uncertain, text))
    elif name == "xdel" and text.strip().isidentifier():
        walker.block(_parse(f"del {text.strip()}", line))
    elif name in _NAMESPACE:
        fix = "remove it, or tag its cell `skip`"
        walker.events.append(Unknowable(line, uncertain, f"`%{name}` acts on every name of the kernel", True, fix))
    elif name in _HISTORY:
        fix = "remove it, or tag its cell `skip`"
        walker.events.append(Unknowable(line, uncertain, f"`%{name}` is about all that has been run", True, fix))
    elif name in _COMMANDS:
        walker.events.append(Command(line, uncertain, text))
    return FRESH


def walk_timed(walker: StatementWalker, body: list[ast.stmt]) -> None:
    """Walk code that runs as a function's body: its own names stay in it."""
    if not body:
        return
    function = ast.FunctionDef(
        name="_timed",
        args=ast.arguments([], [], None, [], [], None, []),
        body=body,
        decorator_list=[],
        returns=None,
        type_comment=None,
        lineno=body[0].lineno,
        col_offset=-1,
    )
    info = walker.function(function, "_timed")
    walker.events.extend(event for event in info.events)


def cell_magic(walker: StatementWalker, name: str, line_text: str, body: str, line: int) -> None:
    """A cell magic's events; bodies that are Python are walked as such."""
    statements = _parse(body, line + 1)
    apply_cell_magic(walker, name, line_text, line, body)
    if name in {"timeit", "prun"}:
        walk_timed(walker, [*_parse(_TIMER_OPTIONS.sub("", line_text), line), *statements])
    elif name in {"time", "capture"} or (name not in _COMMANDS and name not in OTHER_LANGUAGES):
        walker.block(statements)


def timed_call(walker: StatementWalker, node: ast.Call) -> None:
    """``timeit.timeit("f()", "from __main__ import f")``: code in texts, which sees names of the notebook."""
    arguments = [*node.args[:2], *(keyword.value for keyword in node.keywords if keyword.arg in {"stmt", "setup"})]
    texts = [one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if any(_FROM_MAIN.search(text) for text in texts):
        pieces = [_parse(_FROM_MAIN.sub("", text).strip(), node.lineno) for text in reversed(texts)]
        walk_timed(walker, [statement for piece in pieces for statement in piece])


OTHER_LANGUAGES = frozenset(
    [
        "html",
        "latex",
        "markdown",
        "svg",
        "javascript",
        "js",
        "R",
        "julia",
        "sql",
        "perl",
        "ruby",
        "html",
        "cython",
        "writefile",
    ]
)


def apply_cell_magic(walker: StatementWalker, name: str, line_text: str, line: int, body: str = "") -> None:
    """What a cell magic does besides running its body."""
    if name == "capture":
        words = [word for word in line_text.split() if not word.startswith("-")]
        if words:
            walker.bind_name(words[0], FRESH, line)
    elif name in {"timeit"}:
        return
    elif name in OTHER_LANGUAGES | _COMMANDS:
        interpolate(walker, line_text, line)
        for option in _OUTPUT_OPTIONS.findall(line_text):
            walker.bind_name(option, Flow(immutable=True), line)
        if name not in {"html", "latex", "markdown", "svg", "javascript", "js"}:
            walker.events.append(Command(line, False, body))


__all__ = ["Unknowable", "apply_cell_magic", "cell_magic", "line_magic", "magic_call"]
