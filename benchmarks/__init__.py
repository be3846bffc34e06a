"""Measurements: `make bench`, and the commands in docs/benchmarks.md.

- `search/`: latency, recall and retrieval quality, compared with other engines
- `quality/`: retrieval quality of the built-in models, in several languages
- `ingest/`: the cost of ingestion besides the model, and a newcomer's first hour
- `load/`: searches and uploads over HTTP at rising rates
- `embeddings/`: the embeddings service and its models
- `harness/`: temporary stacks and services, steal time, memory, sample files

The figures are in `results/`; `report` writes docs/benchmarks.md from them.
"""
