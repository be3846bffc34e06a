"""Ingestion: an uploaded file becomes searchable pages.

Other packages use `accept`, `errors`, `jobs`, `leases`, `metrics`, `outlook`, `preview`, `progress`,
`reembed` and `worker`.
"""
