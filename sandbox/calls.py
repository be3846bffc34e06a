"""Which system calls a confined process can make.

`computing` lists what is allowed, which is little. `programs` and `serving` list what is refused, because other
programs and libraries need different calls in each version.
"""

import os
import socket

from sandbox.seccomp import ABSENT, ALLOW, PRETEND, REFUSE, Check, Condition, Filter, only_if, unless

_ALL_BITS = 0xFFFFFFFF
_CLONE_THREAD = 0x00010000
# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
_NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
_TMPFILE = 0x400000  # without the part of O_TMPFILE that it shares with O_DIRECTORY
_WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | _TMPFILE
_SOCKET_TYPE = 0xF  # without the flags
_FAST_OPEN = 0x20000000  # connects a TCP socket
# Commands of fcntl and ioctl.
_DUPLICATE, _GET_FLAGS, _DUPLICATE_CLOEXEC = 0, 3, 1030
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX = 8, 10, 15
_SOCKET_OWNER, _SOCKET_GROUP, _TERMINAL_INPUT, _CONSOLE = 0x8901, 0x8902, 0x5412, 0x541C

_COMPUTING = (
    "access brk clock_getres clock_gettime clock_nanosleep close exit exit_group faccessat fstat futex getcwd"
    " getdents64 getegid geteuid getgid getpid getppid getrandom getrusage gettid gettimeofday getuid lseek lstat"
    " madvise mmap mprotect mremap munmap nanosleep newfstatat poll ppoll pread64 read readlink readlinkat readv"
    " restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list"
    " sigaltstack stat statx sysinfo time uname write writev"
)
# What no program that only processes files needs: the whole machine, namespaces, the kernel's rarer parts.
_MACHINE = (
    "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig"
    " fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load"
    " kexec_load keyctl migrate_pages modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at"
    " open_by_handle_at open_tree perf_event_open personality pivot_root quotactl quotactl_fd reboot request_key"
    " setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup"
    " vmsplice"
)
_OTHER_PROCESSES = (
    "ioprio_set kcmp kill pidfd_getfd pidfd_open pidfd_send_signal process_madvise process_mrelease process_vm_readv"
    " process_vm_writev ptrace rt_sigqueueinfo rt_tgsigqueueinfo sched_setattr sched_setparam sched_setscheduler"
    " setpriority tgkill tkill"
)
_SHARED_MEMORY = "mq_open mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmget"
# They change files that cannot be opened, and Landlock does not restrict them.
_ATTRIBUTES = (
    "chmod chown fchmod fchmodat fchmodat2 fchown fchownat fremovexattr fsetxattr futimesat lchown lremovexattr"
    " lsetxattr removexattr setxattr utime utimensat utimes"
)
# Landlock does not keep these from reporting the names of files.
_WATCHING = ("inotify_add_watch", "inotify_init", "inotify_init1")
_REFUSED: dict[str, int | Condition] = {
    **dict.fromkeys(f"{_MACHINE} {_OTHER_PROCESSES} {_SHARED_MEMORY} {_ATTRIBUTES} execveat sendmmsg".split(), REFUSE),
    "prlimit64": only_if((Check(0, _ALL_BITS, 0),)),
    # The owner of a descriptor gets signals, and may be another process.
    "fcntl": unless(*((Check(1, _ALL_BITS, command),) for command in (_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX))),
    "ioctl": unless(
        *((Check(1, _ALL_BITS, command),) for command in (_SOCKET_OWNER, _SOCKET_GROUP, _TERMINAL_INPUT, _CONSOLE))
    ),
    # Its flags are in memory, which a filter cannot read; the C library then uses `clone`.
    "clone3": ABSENT,
}
_ONLY_THREADS = only_if((Check(0, _CLONE_THREAD | _NEW_NAMESPACES, _CLONE_THREAD),))


def computing() -> Filter:
    """Allow this process to compute, to read files, to use its open descriptors and to start threads; nothing else."""
    return Filter(
        {
            **dict.fromkeys(_COMPUTING.split(), ALLOW),
            "open": only_if((Check(1, _WRITING, 0),)),
            "openat": only_if((Check(2, _WRITING, 0),)),
            "fcntl": only_if(
                (Check(1, ~_GET_FLAGS & _ALL_BITS, _DUPLICATE),),  # the first four commands
                (Check(1, _ALL_BITS, _DUPLICATE_CLOEXEC),),
            ),
            "prlimit64": only_if((Check(0, _ALL_BITS, 0),)),
            "clone": _ONLY_THREADS,
            # A process that aborts sends itself a signal.
            "tgkill": only_if((Check(0, _ALL_BITS, os.getpid()),)),
        },
        otherwise=ABSENT,
    )


def programs(*, may_listen: bool) -> Filter:
    """Allow programs to run others and to change files; no network, no other process, no connection to a socket.

    LibreOffice does not start if it cannot listen to further instances of itself on a Unix socket in /tmp, although
    none could connect. Unless it has a /tmp of its own (`may_listen`), it is made to believe that it does.
    """
    listening = ALLOW if may_listen else PRETEND
    return Filter(
        {
            **_REFUSED,
            **dict.fromkeys(("connect", "memfd_create", "sched_setaffinity", *_WATCHING), REFUSE),
            # The group of a process is how everything that it started is ended.
            **dict.fromkeys(("setpgid", "setsid"), REFUSE),
            **dict.fromkeys(("bind", "listen"), listening),
            "socket": only_if((Check(0, _ALL_BITS, socket.AF_UNIX), Check(1, _SOCKET_TYPE, socket.SOCK_STREAM))),
            "clone": only_if((Check(0, _NEW_NAMESPACES, 0),)),
        },
        otherwise=ALLOW,
    )


def serving() -> Filter:
    """Allow threads, files and accepted connections; no programs, no other process, no connection to a server."""
    return Filter(
        {
            **_REFUSED,
            **dict.fromkeys(("connect", "execve", "fork", "vfork", *_WATCHING), REFUSE),
            "socket": only_if(
                *((Check(1, _SOCKET_TYPE, socket.SOCK_STREAM), Check(2, _ALL_BITS, protocol)) for protocol in (0, 6))
            ),
            "sendto": unless((Check(3, _FAST_OPEN, _FAST_OPEN),)),
            "sendmsg": unless((Check(2, _FAST_OPEN, _FAST_OPEN),)),
            "clone": _ONLY_THREADS,
            # A server that stops in order ends itself with the signal that it got.
            "tgkill": only_if((Check(0, _ALL_BITS, os.getpid()),)),
        },
        otherwise=ALLOW,
    )
