"""Hidden state that code relies on without naming it: random generators, options, environment, working directory.

Each *component* can be captured as plain data, compared, and restored. One whose module the user has not imported has
no state; restoring it imports the module.
"""

from __future__ import annotations

import contextlib
import copy
import decimal
import importlib
import locale
import os
import random
import socket
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from .comparison import difference


class Component:
    """One kind of hidden state, and the module without which there is none."""

    def __init__(self, module: str, capture: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        self.module = module
        self.capture = capture
        self.restore = restore


def capture() -> dict[str, Any]:
    """The state of every component whose module is loaded."""
    return {name: component.capture() for name, component in COMPONENTS.items() if component.module in sys.modules}


def capture_while_importing() -> dict[str, Any]:
    """The state of every component that can be captured although modules may be there only in part."""
    found = {}
    for name, component in COMPONENTS.items():
        if component.module in sys.modules:
            with contextlib.suppress(Exception):
                found[name] = component.capture()
    return found


def capture_generators() -> dict[str, Any]:
    """The state of the random generators whose modules are loaded, whole or in part."""
    found = {}
    for name in GENERATORS:
        if COMPONENTS[name].module in sys.modules:
            with contextlib.suppress(Exception):
                found[name] = COMPONENTS[name].capture()
    return found


def restore(name: str, state: Any) -> None:
    """Bring a component into a captured state; raises :class:`KeyError` for one not known."""
    component = COMPONENTS[name]
    importlib.import_module(component.module)
    component.restore(state)


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, bool]:
    """For every component of ``after``, whether it differs from ``before``. One not there before counts as changed."""
    return {name: name not in before or is_changed(before[name], state) for name, state in after.items()}


def is_changed(before: Any, after: Any) -> bool:
    """Whether a component's state differs from what it was."""
    return difference(before, after) is not None


def environment_changes(before: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    """What turns one environment into another: values to set, ``None`` to unset. Kernels differ in the rest."""
    changes: dict[str, str | None] = {name: value for name, value in after.items() if before.get(name) != value}
    changes.update((name, None) for name in before if name not in after)
    return changes


def apply_environment(changes: dict[str, str | None]) -> None:
    """Apply what :func:`environment_changes` found."""
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# Components

flags_are_asked = False  # whether a later step reads the flags of decimal numbers, which most calculations raise


def _numpy_random() -> Any:
    return sys.modules["numpy.random"].get_state(legacy=False)


def _set_numpy_random(state: Any) -> None:
    sys.modules["numpy.random"].set_state(state)


def _numpy_print() -> Any:
    return sys.modules["numpy"].get_printoptions()


def _set_numpy_print(state: Any) -> None:
    sys.modules["numpy"].set_printoptions(**{name: value for name, value in state.items() if name != "override_repr"})


def _numpy_errors() -> Any:
    return sys.modules["numpy"].geterr()


def _set_numpy_errors(state: Any) -> None:
    sys.modules["numpy"].seterr(**state)


def _torch_random() -> Any:
    return sys.modules["torch"].get_rng_state().numpy().copy()


def _set_torch_random(state: Any) -> None:
    torch = sys.modules["torch"]
    torch.set_rng_state(torch.from_numpy(state.copy()))


_OF_THE_KERNEL = ("backend", "backend_fallback", "interactive")


_COLORMAP = "the colormap of image.cmap"  # where a library registered it, importing matplotlib does not bring it


def _matplotlib() -> Any:
    matplotlib = sys.modules["matplotlib"]
    parameters = matplotlib.rcParams
    state = {name: copy.deepcopy(value) for name, value in dict.items(parameters) if name not in _OF_THE_KERNEL}
    name = dict.get(parameters, "image.cmap")
    colormaps = getattr(matplotlib, "colormaps", {})
    if name in colormaps and name not in getattr(colormaps, "_builtin_cmaps", ()):
        state[_COLORMAP] = colormaps[name]
    return state


def _set_matplotlib(state: Any) -> None:
    matplotlib = sys.modules["matplotlib"]
    state = copy.deepcopy(state)
    colormap = state.pop(_COLORMAP, None)
    if colormap is not None and state["image.cmap"] not in matplotlib.colormaps:
        matplotlib.colormaps.register(colormap, name=state["image.cmap"])
    dict.update(matplotlib.rcParams, state)


def _pandas() -> Any:
    config = importlib.import_module("pandas._config.config")
    found: dict[str, Any] = {}

    def walk(options: dict[str, Any], prefix: str) -> None:
        for name, value in options.items():
            if isinstance(value, dict) and prefix + name not in config._registered_options:
                walk(value, f"{prefix}{name}.")
            else:
                found[prefix + name] = copy.copy(value)

    walk(config._global_config, "")
    return found


def _set_pandas(state: Any) -> None:
    pandas = sys.modules["pandas"]
    now = _pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in state.items():
            if name in now and difference(now[name], value) is not None:
                pandas.set_option(name, value)


def _sklearn() -> Any:
    return sys.modules["sklearn"].get_config()


def _set_sklearn(state: Any) -> None:
    known = sys.modules["sklearn"].get_config()
    sys.modules["sklearn"].set_config(**{name: value for name, value in state.items() if name in known})


def _set_warnings(state: Any) -> None:
    warnings.filters[:] = state  # type: ignore[index]  # typed as a sequence, is a list
    getattr(warnings, "_filters_mutated", getattr(warnings, "_filters_mutated_lock_held", lambda: None))()


def _decimal() -> Any:
    context = decimal.getcontext()
    names = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
    state = {**{name: getattr(context, name) for name in names}, "traps": dict(context.traps)}
    return {**state, "flags": dict(context.flags)} if flags_are_asked else state


def _set_decimal(state: Any) -> None:
    context = decimal.getcontext()
    for name, value in state.items():
        if name in ("traps", "flags"):
            getattr(context, name).update(value)
        else:
            setattr(context, name, value)


def _set_locale(state: Any) -> None:
    locale.setlocale(locale.LC_ALL, state)


def _umask() -> Any:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next((int(line[6:], 8) for line in file if line.startswith("Umask:")), None)
    except OSError:
        return None  # it could be known only by changing it


def _set_umask(state: Any) -> None:
    if state is not None:
        os.umask(state)


def _time_zone() -> Any:
    return time.tzname, time.timezone, time.daylight


def _set_time_zone(state: Any) -> None:
    if _time_zone() != state:
        time.tzset()  # by the environment, which is restored before


_SHELL_OPTIONS = ("ast_node_interactivity", "autocall", "automagic")


def _shell_options() -> Any:
    """Options set on the shell itself; statements that set them on its class are repeated in later steps.

    The shell gives itself the default of an option when it first asks for it, which is no change.
    """
    shell = sys.modules["IPython"].get_ipython()
    values = getattr(shell, "_trait_values", {})
    defaults = {name: getattr(getattr(type(shell), name, None), "default_value", None) for name in _SHELL_OPTIONS}
    return {name: values.get(name, defaults[name]) for name in _SHELL_OPTIONS}


def _set_shell_options(state: Any) -> None:
    shell = sys.modules["IPython"].get_ipython()
    for name, value in state.items():
        if value is not None and _shell_options()[name] != value:
            setattr(shell, name, value)


def _set_path(state: Any) -> None:
    sys.path[:] = state


GENERATORS = ("random", "numpy.random", "torch.random")  # drawing from them changes them

COMPONENTS: dict[str, Component] = {
    "random": Component("random", random.getstate, random.setstate),
    "numpy.random": Component("numpy.random", _numpy_random, _set_numpy_random),
    "torch.random": Component("torch", _torch_random, _set_torch_random),
    "matplotlib.rcParams": Component("matplotlib", _matplotlib, _set_matplotlib),
    "pandas.options": Component("pandas", _pandas, _set_pandas),
    "numpy.printoptions": Component("numpy", _numpy_print, _set_numpy_print),
    "numpy.errstate": Component("numpy", _numpy_errors, _set_numpy_errors),
    "sklearn.config": Component("sklearn", _sklearn, _set_sklearn),
    "warnings.filters": Component("warnings", lambda: list(warnings.filters), _set_warnings),
    "os.environ": Component("os", lambda: dict(os.environ), apply_environment),
    "cwd": Component("os", os.getcwd, os.chdir),
    "sys.path": Component("sys", lambda: list(sys.path), _set_path),
    "decimal": Component("decimal", _decimal, _set_decimal),
    "shell options": Component("IPython", _shell_options, _set_shell_options),
    "umask": Component("os", _umask, _set_umask),
    "time zone": Component("time", _time_zone, _set_time_zone),
    "socket timeout": Component("socket", socket.getdefaulttimeout, socket.setdefaulttimeout),
    "locale": Component("locale", lambda: locale.setlocale(locale.LC_ALL), _set_locale),
}
