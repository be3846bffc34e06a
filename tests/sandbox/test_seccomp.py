import struct

import pytest

from sandbox import kernel
from sandbox.seccomp import ALLOW, REFUSE, Check, Filter, only_if, unless
from tests.sandbox.confined import lines, run

OUTCOMES = """
from sandbox import kernel, seccomp
from sandbox.seccomp import ABSENT, ALLOW, REFUSE, Check, Filter, only_if, unless
from sandbox.privileges import forbid_new_privileges
forbid_new_privileges()
def outcome(name, *arguments):
    try:
        kernel.call(name, *arguments)
    except OSError as error:
        return error.errno
    return 0
"""


def outcomes(rules: str, *attempts: str) -> list[object]:
    """Return the error number of each call, or 0, after the rules are installed in a process of its own."""
    tried = ", ".join(f"outcome({attempt})" for attempt in attempts)
    done = run(f"{OUTCOMES}\nseccomp.install(Filter({rules}, ALLOW))\nprint(json.dumps([{tried}]))")
    assert done.stderr == ""
    (results,) = lines(done)
    assert isinstance(results, list)
    return results


def test_calls_are_allowed_refused_or_absent() -> None:
    rules = "{'getppid': ALLOW, 'getuid': REFUSE, 'getgid': ABSENT}"
    assert outcomes(rules, "'getppid'", "'getuid'", "'getgid'", "'getpid'") == [0, 1, 38, 0]


def test_a_condition_looks_at_the_arguments() -> None:
    rules = "{'kill': only_if((Check(0, 0xffffffff, os.getpid()), Check(1, 0xf, 0)), (Check(1, 0xff, 0x12),))}"
    own, other = "'kill', os.getpid(), ", "'kill', 1, "
    assert outcomes(rules, f"{own}0", f"{own}16 + 1", f"{other}0", f"{own}18") == [0, 1, 1, 0]


def test_a_condition_can_refuse_what_it_names() -> None:
    rules = "{'kill': unless((Check(1, 0xff, 18),))}"
    assert outcomes(rules, "'kill', os.getpid(), 0", "'kill', os.getpid(), 18") == [0, 1]


def test_calls_that_are_newer_than_the_table_are_absent() -> None:
    code = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.syscall(453), ctypes.get_errno())"
    done = run(f"{OUTCOMES}\nseccomp.install(Filter({{}}, ALLOW))\n{code}")
    assert done.stdout.split() == ["-1", "38"]


@pytest.mark.skipif(kernel.architecture() != "x86_64", reason="only x86-64 has a second table of calls")
def test_calls_of_another_table_end_the_process() -> None:
    x32_getpid = "import ctypes\nctypes.CDLL(None).syscall(0x40000000 | 39)"
    assert run(f"{OUTCOMES}\nseccomp.install(Filter({{}}, ALLOW))\n{x32_getpid}").returncode == -31


@pytest.mark.parametrize(("machine", "identifier"), [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)])
def test_a_program_is_for_one_architecture(machine: str, identifier: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    program = Filter({"kill": only_if((Check(0, 1, 1),)), "read": unless((Check(0, 1, 1),))}, ALLOW).program()
    instructions = list(struct.iter_unpack("=HBBI", program))
    assert identifier in {operand for _, _, _, operand in instructions}
    # No jump leaves the program, and the last instruction returns.
    for position, (code, if_true, if_false, _) in enumerate(instructions):
        assert position + max(if_true, if_false) + 1 < len(instructions) or code == 0x06
    assert instructions[-1][0] == 0x06


def test_other_architectures_have_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match="x86-64 and 64-bit ARM"):
        Filter({"kill": REFUSE}, ALLOW).program()
