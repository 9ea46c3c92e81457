"""Make an older version of a notebook the published one. Nothing is lost: what was published since stays in the list.

  rollback NB VERSION          runs take VERSION, until something else is published
  rollback NB VERSION --pin    runs take VERSION, whatever is published, until --unpin
  rollback NB --unpin          runs take what was published last again

The notebook's file is not touched. VERSION is the id of a version, or its beginning.

--format json: the version that is published now, as `publish` reports it.
"""

from __future__ import annotations

import argparse

from jupyter_pipelines.errors import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument(
        "version", metavar="VERSION", nargs="?", help="the version (see `jupyter pipelines versions NB`)"
    )
    parser.add_argument("-m", "--message", default="", help="why, for those who read the history")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--pin", action="store_true", help="keep it the published one, whatever is published")
    kept.add_argument("--unpin", action="store_true", help="follow what is published again")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.versions import pin, rollback, unpin

    if (arguments.version is None) != arguments.unpin:
        raise RequestError(
            "A VERSION is needed, or --unpin without one.", "`jupyter pipelines versions NB` lists them."
        )
    if arguments.unpin:
        version = unpin(arguments.notebook, message=arguments.message)
    else:
        change = pin if arguments.pin else rollback
        version = change(arguments.notebook, arguments.version, message=arguments.message)
    if arguments.format == "json":
        print_json(version.to_dict())
    else:
        said = f": {version.message}" if version.message else ""
        state = "pinned" if version.pinned else "published"
        print(clean(f"{state} is now {version.id[:8]}{said}"))
    return 0
