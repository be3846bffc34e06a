"""Connections and COPY for the two engines in plain SQL."""

import struct
from collections.abc import Iterable

import numpy as np
import psycopg
from psycopg import sql

from benchmarks.search.synthetic import DIM, Halves
from paliapi import env

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)


def connect() -> psycopg.Connection:
    """Connect as the role that may create tables."""
    return psycopg.connect(env.load().database_admin_url, autocommit=True)


def copy_rows(connection: psycopg.Connection, table: str, rows: Iterable[tuple[int, Halves]]) -> None:
    """Copy (number, vectors) into a table (page int, v halfvec), one row per vector."""
    shape = np.dtype(
        [
            ("fields", ">i2"),
            ("page_bytes", ">i4"),
            ("page", ">i4"),
            ("bytes", ">i4"),
            ("dim", ">i2"),
            ("unused", ">i2"),
            ("values", ">u2", (DIM,)),
        ]
    )
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE)
        for number, vectors in rows:
            filled = np.zeros(len(vectors), dtype=shape)
            filled["fields"], filled["page_bytes"], filled["page"] = 2, 4, number
            filled["bytes"], filled["dim"] = 4 + 2 * DIM, DIM
            filled["values"] = np.ascontiguousarray(vectors, dtype=np.float16).view(np.uint16)
            copy.write(filled.tobytes())
        copy.write(_END)


def size(connection: psycopg.Connection, table: str) -> int:
    """Return the bytes of the table with its indexes."""
    row = connection.execute("SELECT pg_total_relation_size(%s)", [table]).fetchone()
    return int(row[0]) if row else 0


def halves(vectors: Halves | np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[str]:
    """Return vectors as the text of halfvecs."""
    return ["[" + ",".join(map(str, row)) + "]" for row in np.asarray(vectors, dtype=np.float32).tolist()]
