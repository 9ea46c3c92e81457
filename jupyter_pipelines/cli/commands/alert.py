"""Have the service tell somebody when a pipeline fails, works again, or is late.

jupyter pipelines alert flights.ipynb --to "mailtos://ann@smtp.example.com/?to=ann@example.com&password_file=~/.smtp"

NB is a notebook; --all means all that run here. --to is where it goes, and may be given several times:

  mailtos://USER@HOST:PORT/?to=A,B    mail with STARTTLS (port 587), or TLS from the start (port 465); mailto:// without
      &password_file=PATH&from=C      TLS (port 25). The password is read from PATH at each sending
  https://HOST/PATH                   the alert is sent there as JSON
  slack://…, msteams://…              and all else that apprise knows (https://github.com/caronc/apprise/wiki), also as
                                      the https:// addresses that these services give out
  file:PATH, env:NAME                 where one of these is written: secrets need not be on the command line

What is late: a run that is not done by its schedule's --done-by, also when it was never started; and with --slow 3 one
that takes three times its usual. A failing streak is told of once for each way of failing; --repeat 1h tells of it
again, at most every hour.

--test sends a sample now and keeps nothing: to what --to says, else to all alerts (of NB).

Exit codes: 0 good, 1 a sample was not taken, 2 the request was wrong.

--format json: {"alerts": [as `jupyter pipelines alerts` reports them]}; with --test {"deliveries": [{"alert", "to",
"problem", "fix"}]}, where "problem" is "" when it was taken.
"""

from __future__ import annotations

import argparse

from jupyter_pipelines.errors import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="NB", nargs="?", help="the notebook")
    parser.add_argument("--all", action="store_true", help="all notebooks that run here")
    parser.add_argument("--to", action="append", default=[], metavar="DESTINATION", help="where it goes; see above")
    parser.add_argument(
        "--on", default="failure,recovery,late", metavar="EVENTS", help="some of failure,recovery,late (default: all)"
    )
    parser.add_argument("--repeat", metavar="TIME", help="tell of a failing streak again, such as 1h (default: never)")
    parser.add_argument(
        "--slow", type=float, metavar="N", help="a run is late, too, when it takes N times its usual (default: never)"
    )
    parser.add_argument("--test", action="store_true", help="send a sample now; keep nothing")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.notebook and arguments.all:
        raise RequestError("A notebook is given, and --all.", "Choose one of them.")
    return _test(arguments) if arguments.test else _make(arguments)


def _make(arguments: argparse.Namespace) -> int:
    import sys

    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.alerts import alert, describe

    if not (arguments.notebook or arguments.all):
        raise RequestError("It is not said which pipeline is meant.", "Name a notebook, or give --all.")
    if not arguments.to:
        raise RequestError("It is not said where alerts go.", "Give --to; see `jupyter pipelines alert --help`.")
    notebook = notebook_path(arguments.notebook) if arguments.notebook else None
    made = [
        alert(
            notebook,
            to,
            on=arguments.on,
            repeat=arguments.repeat,
            slow=arguments.slow,
            say=lambda message: print(message, file=sys.stderr),
        )
        for to in arguments.to
    ]
    described = [describe(record) for record in made]
    if arguments.format == "json":
        print_json({"alerts": described})
        return 0
    for one in described:
        print(clean(f"{one['id']}: {one['to']} is told of {', '.join(made[0].on)}"))
    print("try it with: jupyter pipelines alert --test", file=sys.stderr)
    return 0


def _test(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from jupyter_pipelines.cli.application import FAILED
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.alerts import alerts, try_alert

    deliveries = [try_alert(to) for to in arguments.to or alerts(arguments.notebook)]
    if not deliveries:
        raise RequestError("There is nothing to test.", "Give --to, or make an alert first.")
    if arguments.format == "json":
        print_json({"deliveries": [asdict(one) for one in deliveries]})
    else:
        for one in deliveries:
            print(clean(f"{'✗' if one.problem else '✓'} {one.to}  {one.problem or 'taken'}"))
            if one.fix:
                print(clean(f"  {one.fix}"))
    return FAILED if any(one.problem for one in deliveries) else 0
