"""Evaluations: how well each ranking finds the pages or documents that answer given questions.

Other packages use `errors`, `judged`, `runs`, `report` and `worker`.
"""
