"""Comparing outputs: what must count as the same, what as chance, and what never."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from jupyter_pipelines.verification.images import same_image
from jupyter_pipelines.verification.normalise import normalise
from jupyter_pipelines.verification.outputs import compare_outputs, shown
from jupyter_pipelines.verification.repeats import warnings_in, without_repeats
from jupyter_pipelines.verification.text import compare_text, first_difference


def stream(text: str, name: str = "stdout") -> dict[str, object]:
    return {"output_type": "stream", "name": name, "text": text}


def result(**data: object) -> dict[str, object]:
    return {"output_type": "execute_result", "data": {key.replace("_", "/"): value for key, value in data.items()}}


def png(colour: int, level: int = 9, comment: bytes = b"") -> str:
    """A grey square as base64, compressed and annotated as asked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    samples = (b"\x00" + bytes([colour]) * 8) * 8
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    content += chunk(b"tEXt", b"Comment\x00" + comment) + chunk(b"IDAT", zlib.compress(samples, level))
    return base64.b64encode(content + chunk(b"IEND", b"")).decode()


def test_streams_are_joined_and_their_interleaving_is_chance() -> None:
    whole = shown([stream("one\ntwo\n"), stream("careful\n", "stderr")])
    pieces = shown([stream("one\n"), stream("careful\n", "stderr"), stream("two\n")])
    assert compare_outputs([whole], pieces) == ("same", ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<Thing at 0x7f0a12345678>", "<Thing at 0x7f99deadbeef>"),
        ("CPU times: user 3 ms, sys: 1 ms\nWall time: 3.2 ms", "CPU times: user 9 ms, sys: 0 ns\nWall time: 11 ms"),
        ("Ran 2 tests in 0.001s\n\nOK", "Ran 2 tests in 0.003s\n\nOK"),
        ("1.2 ms ± 3 µs per loop (mean ± std. dev.)", "987 µs ± 12 µs per loop (mean ± std. dev.)"),
        ("/tmp/ipykernel_12/3456.py:3: UserWarning: x", "/tmp/ipykernel_99/7.py:3: UserWarning: x"),
        (" 40%|████      | 4/10 [00:01<00:02, 3.1it/s]", " 40%|████      | 4/10 [00:02<00:03, 2.2it/s]"),
        ("Cell In[3], line 1", "Cell In[1], line 1"),
        ('<div id="sk-container-id-2">', '<div id="sk-container-id-1">'),
    ],
)
def test_what_differs_by_nature_is_made_alike(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize("text", ["count 12", "0xff", "2024-01-01", "loss 0.1 s", "x = 0.30000000000000004"])
def test_results_are_left_alone(text: str) -> None:
    assert normalise(text) == text


def test_a_changed_number_is_a_difference_that_tells_where() -> None:
    status, differences = compare_outputs([shown([stream("a\nsum 3\n")])], shown([stream("a\nsum 4\n")]))
    assert status == "different"
    assert [(found.what, found.expected, found.got) for found in differences] == [
        ("stdout", "line 2: sum 3", "line 2: sum 4")
    ]


def test_what_the_references_disagree_on_is_free_and_the_rest_is_not() -> None:
    references = ["seed 1\nscore 0.81 of model a\ndone", "seed 1\nscore 0.85 of model a\ndone"]
    assert compare_text(references, "seed 1\nscore 0.79 of model a\ndone") == "nondeterministic"
    assert compare_text(references, "seed 2\nscore 0.79 of model a\ndone") == "different"
    assert compare_text(references, "seed 1\nscore 0.79 of model b\ndone") == "different"
    assert compare_text(references, "seed 1\nscore 0.79 of model a") == "different"
    assert compare_text(references, references[0]) == "nondeterministic"


def test_lines_that_come_and_go_leave_the_others_bound() -> None:
    references = ["start\nretry\nend", "start\nend"]
    assert compare_text(references, "start\nretry\nretry\nend") == "nondeterministic"
    assert compare_text(references, "start\nretry") == "different"


def test_digits_that_agree_by_chance_do_not_bind() -> None:
    assert compare_text(["[3 7 2]", "[3 5 9]"], "[8 1 4]") == "nondeterministic"


def test_figures_are_compared_by_their_pixels() -> None:
    assert same_image(png(7), png(7, level=1, comment=b"made later"))
    assert not same_image(png(7), png(8))
    assert not same_image(png(7), "not an image at all")
    status, differences = compare_outputs(
        [shown([result(image_png=png(7), text_plain="<Figure>")])],
        shown([result(image_png=png(8), text_plain="<Figure>")]),
    )
    assert status == "different"
    assert differences[0].what == "image/png"
    assert "8 x 8 pixels" in differences[0].expected
    assert differences[0].expected != differences[0].got


def test_a_figure_that_changes_from_run_to_run_is_chance() -> None:
    references = [shown([result(image_png=png(1))]), shown([result(image_png=png(2))])]
    assert compare_outputs(references, shown([result(image_png=png(3))])) == ("nondeterministic", ())


def test_a_missing_output_and_an_unexpected_error_are_differences() -> None:
    reference = shown([result(text_plain="1")])
    assert compare_outputs([reference], shown([]))[0] == "different"
    error = {"output_type": "error", "ename": "NameError", "evalue": "no x", "traceback": ["…"]}
    status, differences = compare_outputs([reference], shown([error]))
    assert status == "different"
    assert differences[0].got == "error"


def test_errors_are_compared_by_what_they_say() -> None:
    one = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["Cell In[3]"]}
    assert compare_outputs([shown([one])], shown([{**one, "traceback": ["other frames"]}])) == ("same", ())
    assert compare_outputs([shown([one])], shown([{**one, "evalue": "'y'"}]))[0] == "different"


def test_structured_data_is_compared_as_data() -> None:
    one = result(application_json={"b": [1, 2], "a": 1})
    other = result(application_json={"a": 1, "b": [1, 2]})
    assert compare_outputs([shown([one])], shown([other])) == ("same", ())
    assert compare_outputs([shown([one])], shown([result(application_json={"a": 2})]))[0] == "different"


def test_the_first_difference_is_told_with_its_line() -> None:
    assert first_difference("a\nb", "a") == ("line 2: b", "(ends before)")


def test_a_warning_that_a_fresh_kernel_tells_again_is_known() -> None:
    warning = "<cell>:3: FutureWarning: this will change\n  frame.old()\n"
    other = "/lib/thing.py:7: UserWarning: careful\n"
    assert warnings_in(f"hello\n{warning}{other}bye") == {warning.strip(), other.strip()}
    assert without_repeats(f"hello\n{warning}{other}bye", warnings_in(warning)) == f"hello\n{other}bye"
