"""Small random notebooks that share, change, rebind and call: whatever a scientist does, in no sensible order."""

from __future__ import annotations

from random import Random

_NAMES = "uvwxyz"

_STATEMENTS = (
    "{a} = [{n}, {m}]",
    "{a} = {n}",
    "{a} = {b}",
    "{a} = [{b}, {c}]",
    "{a} = {{'k': {b}, 'n': {n}}}",
    "{a} = ({b}, {n})",
    "{a} = list({b}) if isinstance({b}, (list, tuple)) else [{b}]",
    "{a} = {b} if {n} > 4 else {c}",
    "{a}, {b} = {b}, {a}",
    "{a} += {n} if isinstance({a}, int) else type({a})()",
    "{a} += [{n}] if isinstance({a}, list) else {a}",
    "if isinstance({a}, list): {a}.append({n})",
    "if isinstance({a}, list): {a}.append({b} if {b} is not {a} else {n})",
    "if isinstance({a}, dict): {a}['k'] = {n}",
    "if isinstance({a}, list) and {a}: {b} = {a}[0]",
    "if isinstance({a}, dict): {b} = {a}.get('k')",
    "if isinstance({a}, (list, tuple)):\n    for item in {a}:\n        if isinstance(item, list): item.append({n})",
    "for i in range({n} % 3): {a} = [i]",
    "if {n} > 5: {a} = {m}",
    "push({a}, {n})",
    "{a} = same({b})",
    "{a} = wrap({b})",
    "keep({a})",
    "{a} = Box({b})",
    "if isinstance({a}, Box): {a}.put({n})",
    "if isinstance({a}, Box): {b} = {a}.value",
    "if isinstance({a}, Box): {a}.value = {n}",
    "bump()",
    "{a} = total()",
    "def helper(): return ({n}, show({a}))",
    "{b} = helper()",
    "{a} = [v for v in kept]",
    "{a} = sorted([{n}, {m}])",
    "{a} = random.random()",
    "random.seed({n})",
    "try:\n    {a} = [1 // ({n} % 2)]\nexcept ZeroDivisionError:\n    {b} = {n}",
    "{a} = dict(k={b})",
    "note = kept.append\nnote({a})",
    "del {a}\n{a} = {n}",
)

_SETUP = """import random
random.seed(0)
kept = []
count = 0
class Box:
    def __init__(self, value): self.value = value
    def put(self, n):
        if isinstance(self.value, list): self.value.append(n)
        else: self.value = [n]
def push(target, n):
    if isinstance(target, list): target.append(n)
    elif isinstance(target, Box): target.put(n)
def same(v): return v
def wrap(v): return [v]
def keep(v): kept.append(v)
def bump():
    global count
    count += 1
def total(): return count + len(kept)
def helper(): return 0
def show(v, depth=0):
    if depth > 4: return '…'
    if isinstance(v, Box): return f'Box({show(v.value, depth + 1)})'
    if isinstance(v, (list, tuple)): return '[' + ' '.join(show(i, depth + 1) for i in v) + ']'
    if isinstance(v, dict): return '{' + ' '.join(show(i, depth + 1) for i in v.values()) + '}'
    return repr(v)
"""


def random_program(random: Random) -> list[str]:
    """Cells for :func:`tests.graph.notebooks.notebook`: setup (or a first step), then three to six steps."""
    start = "; ".join(f"{name} = {random.choice(['[]', '[[1], 2]', '3', '{}'])}" for name in _NAMES)
    first = random.choice(["setup", "begin"])
    cells = [f"{first}:\n{_SETUP}", f"begin:\n{start.replace('; ', chr(10))}"]
    for position in range(random.randint(3, 6)):
        lines = [_statement(random) for _ in range(random.randint(1, 4))]
        shown = ", ".join(f"show({name})" for name in random.sample(_NAMES, 2))
        lines.append(f"print({shown}, {random.choice(['count', 'len(kept)', 'total()', '0'])})")
        cells.append(f"s{position}:\n" + "\n".join(lines))
    cells.append(
        "end:\nprint(" + ", ".join(f"show({name})" for name in _NAMES) + ", show(kept), count, random.random())"
    )
    return cells


def _statement(random: Random) -> str:
    a, b, c = random.sample(_NAMES, 3)
    return random.choice(_STATEMENTS).format(a=a, b=b, c=c, n=random.randint(0, 9), m=random.randint(0, 9))
