"""Recoding a collection: searches during it score every page in one form, and a killed run can be continued."""

import os
import subprocess
import sys
from io import StringIO
from signal import SIGKILL
from typing import Any

import numpy as np
import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts.ownership import acting_for
from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.models import Collection, PageEmbedding
from collections_app.search import index, vector_cache, vector_search
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.scope import Scope
from collections_app.storage import recode
from paliapi.env import ROOT
from tests.cast import Someone
from tests.collections_app.searchable import TOY, random_vectors, search_context, with_vectors
from tests.environment import ENVIRONMENT, Services, compiled_here, measured

PAGES = [random_vectors(number, count=3 + number % 20) for number in range(70)]  # three batches
QUERY = QueryVectors(TOY, random_vectors(1000, count=5))


@pytest.fixture(autouse=True)
def empty_caches() -> None:
    index.process_index.reset()
    for cache in (vector_cache._full, vector_cache._file):
        cache.reset()


@pytest.fixture
def ids(alice: Someone) -> list[int]:
    return with_vectors(alice, "x", PAGES)


def collection_of(who: Someone, name: str = "default_collection") -> Collection:
    with acting_for(who.id):
        return Collection.objects.get(owner_id=who.id, name=name)


def ranked(who: Someone, *, collections: frozenset[str] | None = None, **how: Any) -> list[tuple[int, float]]:
    with acting_for(who.id) as tx:
        context = search_context(tx, who, Scope(collections=collections))
        return vector_search.in_one_form(
            context, lambda attempt: vector_search.best(attempt, QUERY, limit=100, mode="exact", **how)
        ).ranked


def brute_force(ids: list[int], *, compact: bool) -> list[tuple[int, float]]:
    scores = (
        maxsim.code_scores(QUERY.vectors, [codec.encode(page) for page in PAGES])
        if compact
        else maxsim.scores(QUERY.vectors, PAGES)
    )
    return sorted(zip(ids, scores.tolist(), strict=True), key=lambda page: (-page[1], page[0]))


def compact_pages(who: Someone) -> int:
    with acting_for(who.id):
        return PageEmbedding.objects.filter(owner_id=who.id, codes__isnull=False).count()


def test_search_ranks_by_codes_from_the_first_batch_on(alice: Someone, ids: list[int]) -> None:
    assert ranked(alice) == brute_force(ids, compact=False)
    run = recode.recode(alice.id, collection_of(alice).pk, VectorStorage.COMPACT)
    next(run)
    assert 0 < compact_pages(alice) < len(ids)
    during = ranked(alice)
    run.close()  # as a killed process does
    assert sum(recode.recode(alice.id, collection_of(alice).pk, VectorStorage.COMPACT)) == len(ids) - 32
    assert during == ranked(alice) == brute_force(ids, compact=True)
    vector_cache._full.reset()
    vector_cache._file.reset()
    assert ranked(alice) == during


def test_back_to_full_the_decoded_vectors_are_stored(alice: Someone, ids: list[int]) -> None:
    ranked(alice)  # puts the original vectors into the cache
    collection = collection_of(alice)
    for to in (VectorStorage.COMPACT, VectorStorage.FULL):
        assert sum(recode.recode(alice.id, collection.pk, to)) == len(ids)
    assert compact_pages(alice) == 0
    decoded = [codec.decode(codec.encode(page)) for page in PAGES]
    expected = dict(zip(ids, maxsim.scores(QUERY.vectors, decoded).tolist(), strict=True))
    assert dict(ranked(alice)) == expected


def test_vectors_cached_by_a_search_of_two_collections_are_not_used_after_one_was_recoded(
    alice: Someone, ids: list[int]
) -> None:
    with_vectors(alice, "y", PAGES[:1], collection="other")
    first, other = collection_of(alice), collection_of(alice, "other")
    for to in (VectorStorage.COMPACT, VectorStorage.FULL):
        sum(recode.recode(alice.id, other.pk, to))
    ranked(alice)  # caches the original vectors of both
    for to in (VectorStorage.COMPACT, VectorStorage.FULL):
        sum(recode.recode(alice.id, first.pk, to))
    with acting_for(alice.id):
        Collection.objects.filter(pk=first.pk).update(sketches_seq=collection_of(alice, "other").sketches_seq)
    index.process_index.reset()
    alone = ranked(alice, collections=frozenset({first.name}))
    decoded = [codec.decode(codec.encode(page)) for page in PAGES]
    assert dict(alone) == dict(zip(ids, maxsim.scores(QUERY.vectors, decoded).tolist(), strict=True))


def test_search_stays_compact_until_the_last_page_is_full(alice: Someone, ids: list[int]) -> None:
    collection = collection_of(alice)
    sum(recode.recode(alice.id, collection.pk, VectorStorage.COMPACT))
    before = dict(ranked(alice))
    run = recode.recode(alice.id, collection.pk, VectorStorage.FULL)
    next(run)
    run.close()
    assert 0 < compact_pages(alice) < len(ids)
    assert collection_of(alice).vector_storage == "compact"
    during = ranked(alice)
    assert [page_id for page_id, _ in during] == list(before)
    np.testing.assert_allclose([score for _, score in during], list(before.values()), rtol=1e-2)


def test_compact_page_in_a_full_collection_makes_the_whole_ranking_compact(alice: Someone, ids: list[int]) -> None:
    """A page may have been stored while its collection was declared full."""
    with acting_for(alice.id):
        row = PageEmbedding.objects.filter(owner_id=alice.id, pk=ids[-1])
        row.update(vectors=None, codes=codec.encode(PAGES[-1]).data.tobytes())
    assert ranked(alice) == brute_force(ids, compact=True)


def test_collections_of_both_forms_are_searched_by_codes(alice: Someone, ids: list[int]) -> None:
    alice.post("/v1/collections/", {"name": "small", "vector_storage": "compact"})
    more = with_vectors(alice, "y", [QUERY.vectors], collection="small")
    assert compact_pages(alice) == 1
    best, *others = ranked(alice)
    assert best[0] == more[0]
    assert others == brute_force(ids, compact=True)


def test_command_converts_one_collection_and_reports_it(alice: Someone, charlie: Someone, ids: list[int]) -> None:
    with_vectors(charlie, "y", PAGES[:2])
    output = StringIO()
    with pytest.raises(CommandError, match="2 owners"):
        call_command("recode", "default_collection", to="compact")
    with pytest.raises(CommandError, match="no collection"):
        call_command("recode", "nowhere", to="compact")
    for pages in (len(ids), 0):
        call_command("recode", "default_collection", to="compact", owner=alice.user.email, stdout=output)
        assert f"{pages} pages are now compact." in output.getvalue()
    assert (compact_pages(alice), compact_pages(charlie)) == (len(ids), 0)
    call_command("verify_index", stdout=output)
    call_command("rebuild_sketches", "--all", stdout=output)
    assert f"Rebuilt the sketches of {len(ids) + 2} pages." in output.getvalue()


def test_two_runs_at_once_are_refused(alice: Someone, services: Services, ids: list[int]) -> None:
    collection = collection_of(alice)
    with psycopg.connect(services.app_url) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [recode.LOCK_CLASS, collection.pk % 2**31])
        with pytest.raises(CommandError, match="being_recoded"):
            call_command("recode", "default_collection", to="compact")
    assert (compact_pages(alice), len(ids)) == (0, 70)


@pytest.mark.django_db(transaction=True)
def test_killed_run_converts_whole_batches_and_the_next_one_continues(
    alice: Someone, services: Services, ids: list[int]
) -> None:
    environment = {
        **ENVIRONMENT,
        **compiled_here(),
        **measured(),
        "PATH": os.defpath,
        "DATABASE_URL": services.app_url,
        "DATABASE_WORKER_URL": services.worker_url,
        "DATABASE_STAFF_URL": services.staff_url,
        "PALIAPI_FAILPOINT": "pages_recoded:2=kill",
    }
    command = [sys.executable, "manage.py", "recode", "default_collection", "--to", "compact"]
    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -SIGKILL, killed.stderr
    assert compact_pages(alice) == 32
    assert ranked(alice) == brute_force(ids, compact=True)
    environment["PALIAPI_FAILPOINT"] = ""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert f"{len(ids) - 32} pages are now compact." in done.stdout, done.stderr
    assert compact_pages(alice) == len(ids)
    assert ranked(alice) == brute_force(ids, compact=True)
