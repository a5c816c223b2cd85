"""The other end of src/contender.ts: one JSON object a line on stdin, one answer a line on stdout."""
import json
import os
import resource
import sys
from typing import Callable, Protocol


class Contender(Protocol):
    def ready(self) -> dict: ...
    def run(self, count: int) -> dict: ...


def serve(prepare: Callable[[dict], Contender]) -> None:
    """Answers until `{"end": true}` or the end of stdin. What libraries print on stdout goes to stderr."""
    loaded = resident_mib()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    contender = None
    for line in sys.stdin:
        message = json.loads(line)
        if "prepare" in message:
            contender = prepare(message["prepare"])
            answer = {"ready": {**contender.ready(), "loaded_rss_mib": loaded}}
        elif "run" in message:
            answer = contender.run(message["run"])
        else:
            answer = {"peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        answers.write(json.dumps(answer) + "\n")
        if "end" in message:
            return


def resident_mib() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
