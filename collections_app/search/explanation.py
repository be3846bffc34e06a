"""Why one page is a hit: where on it each of the query's vectors matches."""

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app.errors import PageNotFound
from collections_app.models import PageEmbedding
from collections_app.search import hit_rows, regions
from collections_app.search import query as queries
from collections_app.search.errors import PageNotSearchable
from collections_app.search.query import QueryInput, StoredQueryPages
from collections_app.search.regions import PageRegions


def explain_page(caller: Caller, query: QueryInput, page_id: int) -> PageRegions:
    """Return the regions of a page that the caller may read. Call outside a transaction, as `search`."""
    stored = StoredQueryPages()
    if queries.names_pages(query):
        with acting_for(caller.owner_id) as tx:
            stored = queries.read_stored_pages(tx, caller, query)
    vectors = queries.embed(caller, query, stored)
    with acting_for(caller.owner_id) as tx:
        if not hit_rows.read(tx, caller, [page_id], with_text=False):
            raise PageNotFound
        of_space = {f"space__{name}": getattr(vectors.space, name) for name in ("model", "revision", "dim")}
        if not PageEmbedding.objects.filter(owner_id=tx.owner_id, pk=page_id, **of_space).exists():
            raise PageNotSearchable
        return regions.find_regions(tx, vectors, [page_id])[page_id]
