"""Walls that a process puts around itself before it reads untrusted bytes. Stands alone and needs Linux only.

- `walls`: confine this process, and report which walls stand
- `calls`: which system calls remain
- `limits`: limits on memory, time, files and processes
- `privileges`: the user that a confined process runs as

These are internal: `kernel`, `landlock`, `seccomp`.
"""
