"""Workers: their directories, what these say, and whether those live who made them."""

import json
import os
import re

_name = re.compile(r'(.+)\.([0-9]+(?:-[0-9]+)?)\Z', re.ASCII)
RESERVED = ('worker', 'state', 'log', 'keeper', 'scratch', 'STOP', 'PAUSE')


def parse_name(name):
    """Node and number of a worker by the name of its directory; None when it is none."""
    found = _name.match(name)
    return found.groups() if found else None


def worker_names(home):
    """The names of the workers' directories, sorted."""
    try:
        return sorted(name for name in os.listdir(home) if not name.startswith('.') and parse_name(name))
    except FileNotFoundError:
        return []


def state_of(path):
    """The word that a worker last said; '': none."""
    try:
        with open(os.path.join(path, 'state'), encoding='utf-8') as file:
            return file.read().strip()
    except OSError:
        return ''


def jobs_in(path):
    """The jobs in a worker's directory, sorted."""
    return sorted(name for name in os.listdir(path) if not name.startswith('.') and name not in RESERVED and
                  os.path.isfile(os.path.join(path, name)) and not os.path.islink(os.path.join(path, name)))


def life_of(path):
    """What a worker's directory says of it."""
    try:
        with open(os.path.join(path, 'worker'), encoding='utf-8') as file:
            life = json.load(file)
        return life if isinstance(life, dict) and isinstance(life.get('pid'), int) else {}
    except (OSError, ValueError):
        return {}


def lives(life):
    """Whether a worker of this machine lives: True, False, or None when that cannot be known here."""
    if not life or not os.path.isdir('/proc/self'):
        return None
    if _differ(life.get('machine'), _text('/etc/machine-id') or _text('/var/lib/dbus/machine-id')):
        return None
    if _differ(life.get('boot'), _text('/proc/sys/kernel/random/boot_id')):
        return False
    try:
        if life.get('namespace') and life['namespace'] != os.readlink('/proc/self/ns/pid'):
            return None
    except OSError:
        return None
    fields = _text('/proc/%d/stat' % life['pid']).rpartition(')')[2].split()
    if len(fields) < 20 or fields[0] in 'ZX':
        return False
    return life.get('start') in (None, 0, int(fields[19]))


def _differ(a, b):
    return bool(a) and bool(b) and a != b


def _text(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return ''
