"""The access control list of Redis: one user, with the commands that the web server and the workers send.

None of them changes the server's configuration, loads code that stays, sees other clients, or ends the server.
"""

import hashlib

USER = "paliapi"

_CONNECTION = ("hello", "ping", "select", "client|setinfo", "client|setname")
# The rate limits are scripts, and so is the release of a lock of Celery. The commands in scripts are checked too.
_SCRIPTS = ("eval", "evalsha", "script|load", "script|exists", "time")
_KEYS = ("del", "exists", "expire", "get", "pexpire", "set")
_TRANSACTIONS = ("discard", "exec", "multi", "unwatch", "watch")
_QUEUE = (
    *("brpop", "llen", "lpush", "rpop", "rpush"),
    *("hdel", "hget", "hset"),
    *("sadd", "smembers", "srem"),
    *("zadd", "zcard", "zrange", "zrangebyscore", "zrem", "zremrangebyscore"),
    *("psubscribe", "publish", "punsubscribe", "subscribe", "unsubscribe"),
)
COMMANDS = _CONNECTION + _SCRIPTS + _KEYS + _TRANSACTIONS + _QUEUE


def rules(password: str) -> list[str]:
    """Return the lines of an ACL file, which are also valid in a configuration file; they hold only the hash."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    allowed = " ".join(f"+{command}" for command in COMMANDS)
    return ["user default off", f"user {USER} on #{digest} ~* resetchannels &* -@all {allowed}"]
