"""A million pages in PaliAPI's tables: made once, kept in a home of their own, and searched by several processes."""
