"""GTO's side in one process; runs in GTO's own virtual environment, and imports nothing of ours.

Arguments: a repository and an artifact. For every line on the standard input, the name of a call, it
writes the seconds that the call took.
"""

import sys
import time
from contextlib import redirect_stdout

from gto import api


def main() -> None:
    """Answer until the input ends."""
    repository, artifact = sys.argv[1:]
    calls = {
        "show": lambda: api.show(repository, artifact),
        "history": lambda: api.history(repository, artifact),
        "register": lambda: api.register(repository, artifact, "HEAD"),
    }
    for line in sys.stdin:
        with redirect_stdout(sys.stderr):
            began = time.perf_counter()
            calls[line.strip()]()
            took = time.perf_counter() - began
        print(took, flush=True)


if __name__ == "__main__":
    main()
