"""Comparing what a cell put out with what the reference runs put out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_pipelines.verification.images import describe_image, same_image
from jupyter_pipelines.verification.model import Difference, Status
from jupyter_pipelines.verification.normalise import normalise
from jupyter_pipelines.verification.text import Agreement, compare_text, first_difference

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_WIDGETS = ("application/vnd.jupyter.widget-view+json",)  # names a model by a fresh id; its text form is compared


@dataclass(frozen=True)
class Shown:
    """What a cell put out: text per stream, then everything else in order.

    The order *between* standard output and standard error is chance: they are two pipes.
    """

    stdout: str
    stderr: str
    rest: tuple[Mapping[str, Any], ...]


def shown(outputs: Iterable[Mapping[str, Any]]) -> Shown:
    """The outputs of a cell, streams joined and texts normalised."""
    texts = {"stdout": "", "stderr": ""}
    rest = []
    for output in outputs:
        if output["output_type"] == "stream":
            texts[output["name"]] = texts.get(output["name"], "") + _joined(output["text"])
        else:
            rest.append(output)
    return Shown(normalise(texts["stdout"]), normalise(texts["stderr"]), tuple(rest))


def compare_outputs(references: Sequence[Shown], got: Shown) -> tuple[Status, tuple[Difference, ...]]:
    """Whether a cell put out what the references did; the differences if not."""
    found = _Findings()
    found.text("stdout", [reference.stdout for reference in references], got.stdout)
    found.text("stderr", [reference.stderr for reference in references], got.stderr)
    kinds = [_kinds(reference.rest) for reference in references]
    if _kinds(got.rest) not in kinds:
        if all(kind == kinds[0] for kind in kinds):
            found.differ("outputs", ", ".join(kinds[0]) or "none", ", ".join(_kinds(got.rest)) or "none")
        else:
            found.chance()
    else:
        alike = [reference for reference in references if _kinds(reference.rest) == _kinds(got.rest)]
        for position, output in enumerate(got.rest):
            found.output([reference.rest[position] for reference in alike], output)
    return found.status, tuple(found.differences)


class _Findings:
    def __init__(self) -> None:
        self.status: Status = "same"
        self.differences: list[Difference] = []

    def chance(self) -> None:
        if self.status == "same":
            self.status = "nondeterministic"

    def differ(self, what: str, expected: str, got: str) -> None:
        self.status = "different"
        self.differences.append(Difference(what, expected, got))

    def text(self, what: str, references: Sequence[str], got: str) -> None:
        agreement = compare_text(references, got)
        if agreement == "nondeterministic":
            self.chance()
        elif agreement == "different":
            self.differ(what, *first_difference(references[0], got))

    def output(self, references: Sequence[Mapping[str, Any]], got: Mapping[str, Any]) -> None:
        if got["output_type"] == "error":
            # Not the traceback: it tells of the frames of the kernel, which differ by design.
            self.text("error", [_error(reference) for reference in references], _error(got))
            return
        for mime, data in got["data"].items():
            if mime in _WIDGETS:
                continue
            others = [reference["data"][mime] for reference in references]
            if mime in _IMAGES:
                self._image(mime, [_joined(other) for other in others], _joined(data))
            else:
                self.text(mime, [_as_text(other) for other in others], _as_text(data))

    def _image(self, mime: str, references: Sequence[str], got: str) -> None:
        agreement = _agreement(references, got, same_image)
        if agreement == "nondeterministic":
            self.chance()
        elif agreement == "different":
            self.differ(mime, describe_image(references[0]), describe_image(got))


def _agreement(references: Sequence[str], got: str, same: Callable[[str, str], bool]) -> Agreement:
    agree_among_themselves = all(same(references[0], reference) for reference in references[1:])
    if not agree_among_themselves:
        return "nondeterministic"
    return "same" if same(references[0], got) else "different"


def _kinds(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "error" if output["output_type"] == "error" else "/".join([output["output_type"], *sorted(output["data"])])
        for output in outputs
    ]


def _error(output: Mapping[str, Any]) -> str:
    return normalise(f"{output['ename']}: {output['evalue']}")


def _as_text(data: object) -> str:
    if isinstance(data, (str, list)) and all(isinstance(line, str) for line in data):
        return normalise(_joined(data))
    return normalise(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False))


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
