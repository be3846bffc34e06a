"""Ingestion: an uploaded file becomes searchable pages.

Other packages use `accept`, `archive`, `errors`, `jobs`, `leases`, `metrics`, `outlook`, `preview`, `progress`,
`reembed` and `worker`.
"""
