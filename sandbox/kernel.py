"""System calls by name: their numbers on each architecture, and a way to make those that Python has no function for."""

import ctypes
import os
import platform
import sys
from functools import cache

# Name, number on x86-64, number on 64-bit ARM; `-` if the architecture lacks the call.
_TABLE = """
access 21 -, acct 163 89, add_key 248 217, adjtimex 159 171, bind 49 200, bpf 321 280, brk 12 214, capset 126 91,
chmod 90 -, chown 92 -, chroot 161 51, clock_adjtime 305 266, clock_getres 229 114, clock_gettime 228 113,
clock_nanosleep 230 115, clock_settime 227 112, clone 56 220, clone3 435 435, close 3 57, connect 42 203,
delete_module 176 106, execve 59 221, execveat 322 281, exit 60 93, exit_group 231 94, faccessat 269 48,
fanotify_init 300 262, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, fchown 93 55, fchownat 260 54, fcntl 72 25,
finit_module 313 273, fork 57 -, fremovexattr 199 16, fsconfig 431 431, fsetxattr 190 7, fsmount 432 432,
fsopen 430 430, fspick 433 433, fstat 5 80, futex 202 98, futimesat 261 -, getcwd 79 17, getdents64 217 61,
getegid 108 177, geteuid 107 175, getgid 104 176, getpid 39 172, getppid 110 173, getrandom 318 278, getrusage 98 165,
gettid 186 178, gettimeofday 96 169, getuid 102 174, init_module 175 105, inotify_add_watch 254 27,
inotify_init 253 -, inotify_init1 294 26, io_uring_enter 426 426, io_uring_register 427 427, io_uring_setup 425 425,
ioctl 16 29, ioperm 173 -, iopl 172 -, ioprio_set 251 30, kcmp 312 272, kexec_file_load 320 294, kexec_load 246 104,
keyctl 250 219, kill 62 129, landlock_add_rule 445 445, landlock_create_ruleset 444 444,
landlock_restrict_self 446 446, lchown 94 -, listen 50 201, lremovexattr 198 15, lseek 8 62, lsetxattr 189 6,
lstat 6 -, madvise 28 233, memfd_create 319 279, migrate_pages 256 238, mmap 9 222, modify_ldt 154 -, mount 165 40,
mount_setattr 442 442, move_mount 429 429, move_pages 279 239, mprotect 10 226, mq_open 240 180, mq_unlink 241 181,
mremap 25 216, msgctl 71 187, msgget 68 186, msgrcv 70 188, msgsnd 69 189, munmap 11 215, name_to_handle_at 303 264,
nanosleep 35 101, newfstatat 262 79, open 2 -, open_by_handle_at 304 265, open_tree 428 428, openat 257 56,
perf_event_open 298 241, personality 135 92, pidfd_getfd 438 438, pidfd_open 434 434, pidfd_send_signal 424 424,
pivot_root 155 41, poll 7 -, ppoll 271 73, pread64 17 67, prlimit64 302 261, process_madvise 440 440,
process_mrelease 448 448, process_vm_readv 310 270, process_vm_writev 311 271, ptrace 101 117, quotactl 179 60,
quotactl_fd 443 443, read 0 63, readlink 89 -, readlinkat 267 78, readv 19 65, reboot 169 142, removexattr 197 14,
request_key 249 218, restart_syscall 219 128, rseq 334 293, rt_sigaction 13 134, rt_sigprocmask 14 135,
rt_sigqueueinfo 129 138, rt_sigreturn 15 139, rt_tgsigqueueinfo 297 240, sched_getaffinity 204 123,
sched_setaffinity 203 122, sched_setattr 314 274, sched_setparam 142 118, sched_setscheduler 144 119,
sched_yield 24 124, seccomp 317 277, semctl 66 191, semget 64 190, semop 65 193, semtimedop 220 192, sendmmsg 307 269,
sendmsg 46 211, sendto 44 206, set_robust_list 273 99, setdomainname 171 162, sethostname 170 161, setns 308 268,
setpgid 109 154, setpriority 141 140, setsid 112 157, settimeofday 164 170, setxattr 188 5, shmat 30 196,
shmctl 31 195, shmget 29 194, sigaltstack 131 132, socket 41 198, stat 4 -, statx 332 291, swapoff 168 225,
swapon 167 224, sysinfo 99 179, syslog 103 116, tgkill 234 131, time 201 -, tkill 200 130, umount2 166 39,
uname 63 160, unshare 272 97, userfaultfd 323 282, utime 132 -, utimensat 280 88, utimes 235 -, vfork 58 -,
vhangup 153 58, vmsplice 278 75, write 1 64, writev 20 66
"""
# Later calls have equal numbers on all architectures. Filters treat those after this one as absent.
NEWEST = 452
_ARCHITECTURES = ("x86_64", "aarch64")


def architecture() -> str | None:
    """Return `x86_64` or `aarch64`, or None on any other system."""
    machine = platform.machine()
    return machine if sys.platform == "linux" and machine in _ARCHITECTURES else None


def numbers() -> dict[str, int]:
    """Return the numbers of the calls that this architecture has; none if it is unknown."""
    name = architecture()
    return {} if name is None else _numbers_of(name)


@cache
def _numbers_of(name: str) -> dict[str, int]:
    column = 1 + _ARCHITECTURES.index(name)
    rows = (entry.split() for entry in _TABLE.replace("\n", " ").split(","))
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def call(name: str, *arguments: int | bytes | None) -> int:
    """Make a system call and return its result; raise OSError if it fails or is unknown here."""
    number = numbers().get(name)
    if number is None:
        raise OSError(f"{name} is unknown on this system")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *passed)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return int(result)


def control(option: int, value: int = 0) -> None:
    """Set an option of this process with prctl; raise OSError if the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*map(ctypes.c_ulong, (option, value, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
