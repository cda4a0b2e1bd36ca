"""Names: what a file's name says of a job, and names that no other job has."""

import getpass
import itertools
import os
import re
import socket
import time

from .settings import Error

_count = itertools.count(1)
_priority = re.compile(r'-?[0-9]+\Z', re.ASCII)


def is_job(name):
    """Whether a file of that name can be a job. Hidden files never are."""
    return name != '' and name[0] != '.'


def priority_of(name):
    """What stands behind the last dot, if that is a whole number; else 0."""
    stem, dot, ext = name.rpartition('.')
    if not dot or not stem or not _priority.match(ext) or len(ext) > 20:
        return 0
    number = int(ext)
    return number if -2**63 <= number < 2**63 else 0


def check_category(name):
    if not is_job(name) or '/' in name or len(name.encode()) > 240 or not name.isprintable():
        raise Error('category %r: it is the name of a folder, which does not begin with a dot and has neither slashes nor '
                    'control characters' % name)


def unique(id, priority):
    """A name that no other job has or will have, with date, time, login and id in it."""
    if isinstance(priority, bool) or not isinstance(priority, int):
        raise Error('priority %r: a whole number' % (priority,))
    if id is not None and (len(id.encode()) > 64 or '/' in id or not id.isprintable()):
        raise Error("identifier %r: it becomes a part of a file's name, so it has neither slashes nor control characters, "
                    'and 64 bytes at most' % id)
    now = time.time_ns()
    parts = [time.strftime('%Y%m%d-%H%M%S', time.gmtime(now // 10**9)) + '-%06d' % (now // 1000 % 10**6), _plain(_login())[:32]]
    if id:
        parts.append(_plain(id))
    parts.append('%s-%d-py%d' % (_plain(socket.gethostname())[:64], os.getpid(), next(_count)))
    return '_'.join(parts) + '.%d' % priority


def _login():
    try:
        return getpass.getuser()
    except Exception:  # of many kinds, by version
        return str(os.getuid())


def _plain(text):
    return ''.join('_' if c == '/' or c.isspace() or not c.isprintable() else c for c in text)
