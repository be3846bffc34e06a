"""How good a ranking is, given questions and the pages or documents that answer them.

- `errors`: what is wrong with questions and judgements
- `measures`: nDCG, recall and MRR, with bootstrap intervals
- `questions`: questions and judgements, from text or JSON
"""
