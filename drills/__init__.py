"""Fault injection against a real stack: each drill breaks something and checks that nothing was lost.

- `chaos`: breaks every part at every step of ingestion (`make chaos`)
- `thousand`: kills workers at random while twenty clients upload (`make thousand`)
- `bombs`: hostile files and hostile web servers (`make bombs`)
- `soak`: mixed and malformed load on the embeddings service (`make soak`)

The latest results are in `results/`.
"""
