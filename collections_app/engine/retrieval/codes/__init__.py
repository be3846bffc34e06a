"""The compact stored form of a page's vectors: four bits for each dimension after a rotation.

- `codec`: vectors encoded, checked and decoded
- `rotation`: the rotation, the same for pages and queries
"""
