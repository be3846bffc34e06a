"""What still works behind each filter; `test_walls` tries what must not."""

import json
import signal
import socket
import subprocess
import sys

from tests.sandbox.confined import PRELUDE, ROOT, lines, run


def test_a_computing_process_has_threads_memory_time_and_its_descriptors() -> None:
    code = """
import threading, time, mmap, random
confine(calls=calls.computing())
results = []
thread = threading.Thread(target=lambda: results.append(len(bytearray(50_000_000))))
thread.start(); thread.join(); time.sleep(0.001)
print(json.dumps([results, len(mmap.mmap(-1, 4096)), len(os.urandom(4)), os.getpid() > 0]), flush=True)
"""
    assert lines(run(code)) == [[[50_000_000], 4096, 4, True]]


def test_a_computing_process_can_abort() -> None:
    assert run("confine(calls=calls.computing())\nos.abort()").returncode == -signal.SIGABRT


def test_a_computing_process_reads_the_folders_it_was_granted() -> None:
    code = "confine(calls=calls.computing(), readable=[Path(sys.argv[1])])\nprint(json.dumps(os.listdir(sys.argv[1])))"
    # A folder that every user can read.
    (names,) = lines(run(code, "/usr"))
    assert "bin" in names  # type: ignore[operator]


def test_programs_run_others_and_listen_to_sockets_of_their_own() -> None:
    code = """
import socket, subprocess, tempfile
folder = tempfile.mkdtemp(dir="/tmp")
os.chmod(folder, 0o777)
system = [Path(path) for path in ("/bin", "/lib", "/lib64", "/usr")]
confine(calls=calls.programs(may_listen=True), executable=system, writable=[Path(folder)])
server = socket.socket(socket.AF_UNIX)
server.bind(folder + "/socket"); server.listen()
done = subprocess.run(["/bin/sh", "-c", "echo $(echo deep) > $1/file; cat $1/file; rm $1/file $1/socket", "-", folder],
                      capture_output=True, text=True)
print(json.dumps([done.stdout, done.stderr]))
os.rmdir(folder)
"""
    done = run(code)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [["deep\n", ""]], done.stderr


def test_programs_can_be_made_to_believe_that_they_listen() -> None:
    code = """
import socket
confine(calls=calls.programs(may_listen=False), writable=[Path("/tmp")])
server = socket.socket(socket.AF_UNIX)
server.bind(f"/tmp/paliapi-{os.getpid()}"); server.listen()
print(json.dumps([os.path.exists(f"/tmp/paliapi-{os.getpid()}"), server.getsockname()]))
"""
    assert lines(run(code)) == [[False, ""]]


def test_a_server_accepts_connections_and_makes_none() -> None:
    code = """
import socket, threading
confine(calls=calls.serving(), network="server")
server = socket.create_server(("127.0.0.1", 0))
print(json.dumps(server.getsockname()[1]), flush=True)
connection, _ = server.accept()
thread = threading.Thread(target=lambda: connection.sendall(connection.recv(10)))
thread.start(); thread.join()
def refused(step):
    try:
        step()
    except OSError as error:
        return error.errno
target = ("127.0.0.1", server.getsockname()[1])
with socket.socket() as client:
    print(refused(lambda: client.connect(target)), flush=True)
    print(refused(lambda: client.sendto(b"x", 0x20000000, target)), flush=True)
    print(refused(lambda: client.sendmsg([b"x"], [], 0x20000000, target)), flush=True)
print(refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)), refused(os.fork), flush=True)
"""
    port, answer, printed = _serve(code)
    assert port > 0
    assert answer == b"hello"
    assert printed.split() == ["1", "1", "1", "1", "1"]


def _serve(code: str) -> tuple[int, bytes, str]:
    """Connect to the port that the code prints first; return the port, its answer and the rest of its output."""
    command = [sys.executable, "-B", "-c", PRELUDE + code, "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"hello")
            answer = client.recv(10)
        return port, answer, process.stdout.read()
