"""Many processes with many threads through the plugin at once."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from tests.mlflow.conftest import Git, needs_mlflow

pytestmark = [pytest.mark.mlflow, needs_mlflow, pytest.mark.xdist_group("mlflow")]

PROCESSES, THREADS, EACH = 4, 3, 5

WRITER = textwrap.dedent(
    """
    import json, sys, warnings
    from concurrent.futures import ThreadPoolExecutor
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    warnings.simplefilter("ignore")
    uri, process, threads, each = sys.argv[1], *map(int, sys.argv[2:])
    client = MlflowClient(tracking_uri="sqlite:///:memory:", registry_uri=uri)
    # MLflow looks for plugins at the first call, and a second thread that calls meanwhile finds none.
    client.search_registered_models()
    sys.stdin.readline()  # all begin together

    def work(thread):
        me, done = f"{process}.{thread}", []
        try:
            client.create_registered_model("shared")
            done.append(["created", 0])
        except MlflowException as error:
            assert error.error_code == "RESOURCE_ALREADY_EXISTS", error
        client.create_registered_model(f"own {me.replace('.', ' ')}")
        for number in range(each):
            version = client.create_model_version("shared", f"s3://bucket/{me}/{number}", tags={"by": me})
            done.append(["version", int(version.version)])
            client.set_model_version_tag("shared", version.version, "number", str(number))
            client.set_registered_model_tag("shared", f"{me}/{number}", "here")
            seen = client.get_model_version("shared", version.version)  # what one wrote, one reads
            assert (seen.source, seen.tags) == (
                f"s3://bucket/{me}/{number}", {"by": me, "number": str(number)}
            ), seen
        client.set_registered_model_alias("shared", f"a{process}-{thread}", version.version)
        return done

    with ThreadPoolExecutor(threads) as pool:
        print(json.dumps([done for dones in pool.map(work, range(threads)) for done in dones]))
    """
)


def test_nothing_is_lost_and_no_number_is_given_twice(place: Path, git: Git) -> None:
    from mlflow import MlflowClient

    uri = f"gitreg+file://{place}"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, uri, str(process), str(THREADS), str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(PROCESSES)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    outcomes = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0] * PROCESSES, [error for _, error in outcomes]
    done = [pair for out, _ in outcomes for pair in json.loads(out.splitlines()[-1])]
    total = PROCESSES * THREADS * EACH
    assert Counter(what for what, _ in done) == {"created": 1, "version": total}
    assert sorted(number for what, number in done if what == "version") == list(range(1, total + 1))

    client = MlflowClient(tracking_uri="sqlite:///:memory:", registry_uri=uri)
    versions = client.search_model_versions("name = 'shared'")
    writers = [f"{process}.{thread}" for process in range(PROCESSES) for thread in range(THREADS)]
    expected = {f"s3://bucket/{me}/{number}": (me, str(number)) for me in writers for number in range(EACH)}
    assert {v.source: (v.tags["by"], v.tags["number"]) for v in versions} == expected
    shared = client.get_registered_model("shared")
    assert set(shared.tags) == {f"{me}/{number}" for me in writers for number in range(EACH)}
    assert set(shared.aliases) == {f"a{me.replace('.', '-')}" for me in writers}
    assert len(client.search_registered_models()) == 1 + len(writers)

    writes = 1 + len(writers) + 3 * total + len(writers)
    assert git(place, "rev-list", "--count", "HEAD").strip() == str(1 + writes)
    assert git(place, "rev-list", "--min-parents=2", "HEAD") == ""
    assert len(git(place, "tag", "--list", "shared/v*").split()) == total
    git(place, "fsck", "--strict")
    assert git(place, "status", "--porcelain") == ""


def test_a_forked_process_goes_on_with_the_store_of_its_parent(place: Path, git: Git) -> None:
    """As servers do that open the store before they fork: no pipe or connection is shared."""
    script = textwrap.dedent(
        """
        import os, sys, warnings
        from mlflow import MlflowClient
        warnings.simplefilter("ignore")
        client = MlflowClient(tracking_uri="sqlite:///:memory:", registry_uri=sys.argv[1])
        client.create_registered_model("churn")
        children = []
        for number in range(3):
            child = os.fork()
            if child == 0:
                for turn in range(5):
                    client.create_model_version("churn", f"s3://bucket/{number}/{turn}")
                    client.get_registered_model("churn")
                os._exit(0)
            children.append(child)
        for turn in range(5):
            client.create_model_version("churn", f"s3://bucket/parent/{turn}")
        ends = [os.waitpid(child, 0)[1] for child in children]
        print(ends, len(client.search_model_versions("name = 'churn'")))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, f"gitreg+file://{place}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 0, 0] 20", done.stderr
    assert git(place, "rev-list", "--count", "HEAD").strip() == "22"
    git(place, "fsck", "--strict")
