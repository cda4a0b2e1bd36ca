"""Telling workers to stop, to pause and to go on: by files in their directories, which they look at between two jobs."""

import os

from .settings import Error, jar
from .directories import parse_name, state_of, worker_names


def stop(*targets):
    """Tells workers to end after their job: 'all', nodes, and names of workers (NODE.PID), mixed. Returns whom it told."""
    return _tell(targets, lambda path: _touch(os.path.join(path, 'STOP')))


def stop_all():
    """Tells all workers to end after their job. Those that are started later are not told."""
    return stop('all')


def stop_node(node):
    """Tells the workers of a node to end after their job."""
    return stop(node)


def stop_worker(worker):
    """Tells a worker to end after its job."""
    return stop(worker)


def pause(*targets):
    """Tells workers to claim nothing more, as stop tells them to end."""
    return _tell(targets, lambda path: _touch(os.path.join(path, 'PAUSE')))


def pause_all():
    """Tells all workers to claim nothing more. Those that are started later are not told."""
    return pause('all')


def pause_node(node):
    """Tells the workers of a node to claim nothing more."""
    return pause(node)


def pause_worker(worker):
    """Tells a worker to claim nothing more."""
    return pause(worker)


def unpause(*targets):
    """Lets workers go on. It is fine for those that are not paused."""
    return _tell(targets, lambda path: _remove(os.path.join(path, 'PAUSE')))


def unpause_all():
    """Lets all workers go on."""
    return unpause('all')


def unpause_node(node):
    """Lets the workers of a node go on."""
    return unpause(node)


def unpause_worker(worker):
    """Lets a worker go on."""
    return unpause(worker)


def _tell(targets, say):
    home = jar().worker_home
    all_names, told, unknown = worker_names(home), [], []
    for target in targets:
        meant = [name for name in all_names if _is_meant(name, target)]
        if not meant and target != 'all':
            unknown.append(target)
        for name in meant:
            path = os.path.join(home, name)
            if name not in told and state_of(path) != 'stopped':
                try:
                    say(path)
                except OSError as err:
                    raise Error('tell %s: %s' % (name, err))
                told.append(name)
    if unknown:
        raise Error('%s: there is neither a worker nor a node of that name' % ', '.join(unknown))
    return told


def _is_meant(name, target):
    node, number = parse_name(name)
    return target in ('all', name, node, node + '.' + number.partition('-')[0])


def _touch(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
