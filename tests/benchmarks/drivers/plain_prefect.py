"""Prefect alone: a chain of tasks that do nothing, in one flow, on the server that is up. Arguments: REPEAT LENGTH"""

import json
import os
import sys
import time
from itertools import pairwise

_, repeat, length = sys.argv[1:]

from jupyter_pipelines.orchestration.service import endpoint_of  # noqa: E402
from jupyter_pipelines.settings import Settings  # noqa: E402

os.environ.update(endpoint_of(Settings.load()).settings(), PREFECT_LOGGING_LEVEL="CRITICAL")

from prefect import flow, task  # noqa: E402


@task
def step(before: int) -> int:
    starts.append(time.time())
    return before + 1


@flow
def chain() -> int:
    value = step.submit(0)
    for _ in range(int(length) - 1):
        value = step.submit(value)
    return value.result()


rounds = []
for _ in range(int(repeat)):
    starts: list[float] = []
    chain()
    rounds.append([later - earlier for earlier, later in pairwise(starts)])
print(json.dumps(rounds))
