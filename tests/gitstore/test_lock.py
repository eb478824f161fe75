"""The write lock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure
from gitreg.gitstore.lock import LOCK_FILE, write_lock


def test_names_the_holder_when_time_is_up(tmp_path: Path) -> None:
    text = (
        "import sys; from pathlib import Path; from gitreg.gitstore.lock import write_lock\n"
        "with write_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", text, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        holder.stdout.readline()
        with (
            pytest.raises(EnvironmentFailure, match=f"process {holder.pid} on ") as caught,
            write_lock(tmp_path, wait=0.1),
        ):
            pass
        assert caught.value.exit_code == 7
        holder.kill()
    with write_lock(tmp_path, wait=5):
        pass
    assert (tmp_path / LOCK_FILE).exists()


def test_a_child_that_inherits_it_holds_it(tmp_path: Path) -> None:
    with write_lock(tmp_path) as descriptor:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    with pytest.raises(EnvironmentFailure), write_lock(tmp_path, wait=0.05):
        pass
    child.communicate()
    with write_lock(tmp_path, wait=5):
        pass


def test_a_forked_child_that_goes_on_lets_go_of_it(tmp_path: Path) -> None:
    ends, wakes = os.pipe()
    with write_lock(tmp_path):
        child = os.fork()
        if child == 0:
            os.read(ends, 1)
            os._exit(0)
    try:
        with write_lock(tmp_path, wait=1.0):
            pass
    finally:
        os.write(wakes, b".")
        os.waitpid(child, 0)
        os.close(ends)
        os.close(wakes)


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(10):
            with write_lock(tmp_path):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_twice_in_one_thread_is_a_mistake(tmp_path: Path) -> None:
    with write_lock(tmp_path), pytest.raises(RuntimeError), write_lock(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(EnvironmentFailure), write_lock(tmp_path / "state"):
        pass
