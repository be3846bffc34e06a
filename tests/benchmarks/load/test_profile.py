"""How samples and Postgres' log are read."""

from benchmarks.load import profile, stacks

OURS = "BufferingWorker._respond (paliapi/web_server/worker.py:194)"
SAMPLES = f"""\
thread (1): request_0;{OURS};search (collections_app/search/run.py:1);wait (/x/site-packages/psycopg/connection.py:9) 2
thread (1): request_0;{OURS};search (collections_app/search/run.py:1);_read_results (/x/paliapi/database.py:9) 1
thread (1): request_0;{OURS};scores (collections_app/engine/retrieval/maxsim.py:3) 1
thread (2): MainThread;run_once (paliapi/web_server/clients.py:5) 4
Error: no sample
"""
LOG = """\
2026-12-02 14:20:34.736 UTC [7] paliapi_app LOG:  PARSE MESSAGE STATISTICS
2026-12-02 14:20:34.736 UTC [7] paliapi_app DETAIL:  ! system usage stats:
	!	0.001000 s user, 0.000500 s system, 0.001189 s elapsed
	!	[9.000000 s user, 9.011899 s system total]
2026-12-02 14:20:34.736 UTC [7] paliapi_app LOG:  execute <unnamed>: SELECT x FROM t WHERE id = 17
2026-12-02 14:20:34.737 UTC [8] paliapi_app LOG:  statement: BEGIN
2026-12-02 14:20:34.737 UTC [8] paliapi_app LOG:  QUERY STATISTICS
2026-12-02 14:20:34.737 UTC [8] paliapi_app DETAIL:  ! system usage stats:
	!	0.000000 s user, 0.000250 s system, 0.001189 s elapsed
2026-12-02 14:20:34.738 UTC [7] paliapi_app LOG:  EXECUTE MESSAGE STATISTICS
2026-12-02 14:20:34.738 UTC [7] paliapi_app DETAIL:  ! system usage stats:
	!	0.002000 s user, 0.000500 s system, 0.001189 s elapsed
"""


def test_innermost_frame_decides_the_part() -> None:
    assert stacks.shares(stacks.read(SAMPLES)) == {
        "HTTP: sockets, parsing, threads": 0.5,
        "SQL: Django and psycopg": 0.375,
        "exact scores": 0.125,
    }


def test_time_of_requests_is_that_of_their_threads() -> None:
    assert stacks.waiting(stacks.read(SAMPLES))["waiting for Postgres"] == 0.75


def test_parsing_counts_for_the_statement_that_follows() -> None:
    spent, executed = profile.statement_seconds(LOG.splitlines())
    assert {name: round(seconds, 6) for name, seconds in spent.items()} == {
        "SELECT x FROM t WHERE id = ?": 0.004,
        "BEGIN": 0.00025,
    }
    assert executed == {"SELECT x FROM t WHERE id = ?": 1, "BEGIN": 1}
