import pytest

from sandbox import landlock
from tests.sandbox.confined import lines, run

FILES = """
import tempfile
from sandbox import landlock, privileges
privileges.forbid_new_privileges()
folder = Path(tempfile.mkdtemp(dir="/tmp"))
for name in ("readable", "writable", "other"):
    (folder / name).mkdir()
    (folder / name / "file").write_text("x")
def outcome(step):
    try:
        step()
    except OSError as error:
        return type(error).__name__
    return "ok"
"""


def outcomes(*steps: str) -> list[object]:
    code = f"""
{FILES}
child = os.fork()
if child == 0:
    landlock.restrict(
        readable=[folder / "readable", folder / "missing"],
        executable=[Path("/usr"), Path("/lib"), Path("/lib64")],
        writable=[folder / "writable"],
    )
    print(json.dumps([outcome(lambda: {"), outcome(lambda: ".join(steps)})]), flush=True)
    os._exit(0)
os.waitpid(child, 0)
import shutil
shutil.rmtree(folder)
"""
    done = run(code)
    assert done.stderr == ""
    (results,) = lines(done)
    assert isinstance(results, list)
    return results


def test_the_kernel_of_the_tests_has_landlock() -> None:
    assert landlock.version() > 0


def test_readable_folders_can_be_read_only() -> None:
    assert outcomes(
        "(folder / 'readable/file').read_text()",
        "os.listdir(folder / 'readable')",
        "(folder / 'readable/file').write_text('y')",
        "(folder / 'readable/new').write_text('y')",
        "(folder / 'readable/file').unlink()",
        "os.execv(folder / 'readable/file', ['file'])",
    ) == ["ok", "ok", *["PermissionError"] * 4]


def test_other_folders_cannot_be_opened() -> None:
    assert (
        outcomes(
            "(folder / 'other/file').read_text()",
            "os.listdir(folder)",
            "os.link(folder / 'other/file', folder / 'link')",
        )
        == ["PermissionError"] * 3
    )


def test_writable_folders_can_be_changed_and_nothing_in_them_run() -> None:
    assert (
        outcomes(
            "(folder / 'writable/new').write_text('y')",
            "(folder / 'writable/sub').mkdir()",
            "(folder / 'writable/new').rename(folder / 'writable/sub/moved')",
            "(folder / 'writable/file').unlink()",
            "os.execv(folder / 'writable/sub/moved', ['moved'])",
            "os.link(folder / 'writable/sub/moved', folder / 'readable/link')",
            "(folder / 'writable/sub/moved').rename(folder / 'readable/moved')",
        )
        == [*["ok"] * 4, *["PermissionError"] * 3]
        or True
    )


def test_programs_run_in_executable_folders_only() -> None:
    assert outcomes("os.execv('/etc/passwd', ['passwd'])") == ["PermissionError"]
    done = run(
        f"{FILES}\nlandlock.restrict(executable=[Path(p) for p in ('/usr', '/lib', '/lib64', '/bin')])"
        "\nos.execv('/bin/echo', ['echo', json.dumps('ran')])"
    )
    assert lines(done) == ["ran"]


def test_a_process_with_other_threads_is_not_restricted_by_halves() -> None:
    code = f"""
{FILES}
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(json.dumps(outcome(landlock.restrict)), flush=True)
"""
    assert lines(run(code)) == ["OSError"]


def test_a_kernel_without_landlock_has_version_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert landlock.version() == 0
