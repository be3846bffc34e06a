"""Files and vectors of the owners: stored, read, linked to and deleted.

- `files`: files in the configured storage, each stored once per owner
- `links`: tokens of signed links to files and page images
- `responses`: HTTP responses that serve stored files
- `vectors`: multi-vectors in Postgres
- `sketches`: sketches for the in-memory index
- `grants`: what each database role may do with the tables
- `housekeeping`: deletion of what is no longer used
- `recode`: vectors converted from one stored form to the other
- `rebuild`: sketches rebuilt from vectors, and checks of the index
- `errors`: errors about stored files
"""
