import os

import pytest

from sandbox import privileges
from tests.sandbox.confined import PLAIN_USER, lines, run

IMPORT = "from sandbox import privileges\n"


def test_a_plain_user_stays_who_it_is() -> None:
    code = f"{IMPORT}privileges.change_user()\nprint(json.dumps([privileges.spare_user(), os.getuid()]))"
    assert lines(run(code, user=PLAIN_USER)) == [[None, PLAIN_USER if os.getuid() == 0 else os.getuid()]]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can change its user")
def test_root_becomes_a_user_without_groups_for_good() -> None:
    code = """
privileges.change_user()
print(json.dumps([os.getresuid(), os.getresgid(), os.getgroups()]))
os.setuid(0)
"""
    done = run(IMPORT + code)
    user = privileges.spare_user()
    assert lines(done) == [[[user] * 3, [user] * 3, []]]
    assert "PermissionError" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root has capabilities to drop")
def test_capabilities_are_dropped() -> None:
    code = """
def effective():
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff"))
before = effective()
privileges.drop_capabilities()
print(json.dumps([int(before, 16) > 0, int(effective(), 16)]))
"""
    assert lines(run(IMPORT + code)) == [[True, 0]]


def test_an_empty_network_has_no_way_out() -> None:
    code = """
import socket
try:
    privileges.leave_network(new_user_namespace=True)
except OSError:
    print(json.dumps("refused by the kernel"))
else:
    try:
        socket.create_connection(("127.0.0.1", 9), 5)
    except OSError as error:
        print(json.dumps(os.strerror(error.errno)))
"""
    assert lines(run(IMPORT + code)) in (["Network is unreachable"], ["refused by the kernel"])
