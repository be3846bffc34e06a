"""The home folder of the stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paliapi.stack.errors import StackError
from paliapi.stack.home import Home, lock_home, open_home


def test_folder_is_private(tmp_path: Path) -> None:
    home = open_home(tmp_path / "new")
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert home.logs.is_dir()


def test_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(StackError, match=r"^.*file is a file; PALIAPI_HOME must name a folder\.$"):
        open_home(place)


def test_unwritable_path_is_reported() -> None:
    with pytest.raises(StackError, match="/dev/null") as trouble:
        open_home(Path("/dev/null/home"))
    assert "\n" not in str(trouble.value)


def test_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        foreign = tmp_path / "foreign"
        foreign.mkdir()
        os.chown(foreign, 65534, 65534)
    else:
        foreign = Path("/usr")
    with pytest.raises(StackError, match=r"belongs to .*: run this as its owner"):
        open_home(foreign)


def test_full_disk_is_reported_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"The disk is full: .* MB left, and at least 1000000000 MB are needed\."):
        open_home(tmp_path / "home", min_free_mb=10**9)


def test_second_stack_in_the_same_folder_is_refused(home: Home) -> None:
    with (
        lock_home(home),
        pytest.raises(StackError, match=rf"already running in .* \(process {os.getpid()}\)"),
        lock_home(home),
    ):
        pytest.fail("two hold the lock")


def test_lock_is_released_when_its_holder_is_killed(home: Home) -> None:
    program = (
        "import pathlib, sys; from paliapi.stack.home import Home, lock_home\n"
        "with lock_home(Home(pathlib.Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", program, str(home.path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StackError, match=f"process {holder.pid}"), lock_home(home):
            pytest.fail("two hold the lock")
        holder.kill()
    with lock_home(home):
        pass


def test_metrics_of_an_earlier_start_are_removed(home: Home) -> None:
    home.reset_metrics()
    (home.metrics / "counter_1.db").touch()
    home.reset_metrics()
    assert list(home.metrics.iterdir()) == []
    assert home.metrics.stat().st_mode & 0o077 == 0
    home.remove_metrics()
    assert not home.metrics.exists()


def test_metrics_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, trap = tmp_path / "memory", tmp_path / "trap"
    memory.mkdir()
    trap.mkdir()
    monkeypatch.setattr("paliapi.stack.home._SHARED_MEMORY", memory)
    metrics = Home(tmp_path / "home").metrics
    assert metrics.parent == memory
    metrics.symlink_to(trap)
    assert Home(tmp_path / "home").metrics == tmp_path / "home" / "run" / "metrics"


def test_socket_in_a_deep_folder_gets_a_short_path(tmp_path: Path) -> None:
    home = open_home(tmp_path / ("deep" * 30))
    folder = home.path / "postgres"
    folder.mkdir()
    short = home.socket_folder(folder, ".s.PGSQL.5432")
    assert len(str(short)) < 60
    assert short.samefile(folder)
    assert home.socket_folder(folder, ".s.PGSQL.5432") == short
    home.remove_short_names()
    assert not short.parent.exists()


def test_copied_folder_does_not_share_the_short_path(tmp_path: Path) -> None:
    original = open_home(tmp_path / ("deep" * 30))
    copy = open_home(tmp_path / ("copy" * 30))
    shorts = []
    for home in (original, copy):
        (home.path / "redis").mkdir()
        (home.run / "short").unlink(missing_ok=True)
        if home is copy:
            (home.run / "short").write_bytes((original.run / "short").read_bytes())
        shorts.append(home.socket_folder(home.path / "redis", "redis.sock"))
    assert shorts[0] != shorts[1]
    assert shorts[1].samefile(copy.path / "redis")
    for home in (original, copy):
        home.remove_short_names()


def test_shallow_folder_keeps_its_path() -> None:
    home = Home(Path("/srv/pali"))
    assert home.socket_folder(home.path / "redis", "redis.sock") == Path("/srv/pali/redis")
