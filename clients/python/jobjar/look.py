"""Looking at a jar: what waits, runs and has ended, and who works."""

import os
import time

from . import names
from .settings import Error, jar
from .directories import jobs_in, life_of, lives, parse_name, state_of, worker_names


def categories():
    """The categories that somebody has made, sorted."""
    folder = os.path.join(jar().home, 'unclaimed')
    return sorted(name for name in os.listdir(folder) if names.is_job(name) and os.path.isdir(os.path.join(folder, name)))


def unclaimed_jobs(category=None):
    """The jobs that wait in a category, or of those without one, in the order in which they are claimed."""
    folder = os.path.join(jar().home, 'unclaimed', category or '')
    waiting = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    for entry in entries:
        try:
            if names.is_job(entry.name) and entry.is_file(follow_symlinks=False) and os.access(entry.path, os.X_OK):
                waiting.append((-names.priority_of(entry.name), entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
        except FileNotFoundError:
            pass  # claimed meanwhile
    return [name for _, _, name in sorted(waiting)]


def claimed_jobs():
    """The links to the jobs that run, sorted."""
    return _names('claimed')


def completed_jobs():
    """The jobs that have ended, sorted."""
    return _names('completed')


def exit_code(name):
    """The exit code of a job that has ended: 128 and the signal's number if one ended it. None when it has not ended."""
    try:
        return int(_kept(name, 'exit'))
    except (FileNotFoundError, ValueError):
        return None


def output(name):
    """What a job that has ended wrote to its standard output, as bytes."""
    try:
        return _kept(name, 'out')
    except FileNotFoundError:
        return b''


def error_output(name):
    """What a job that has ended wrote to its standard error output, as bytes."""
    try:
        return _kept(name, 'err')
    except FileNotFoundError:
        return b''


def _kept(name, kind):
    if not names.is_job(name) or '/' in name:
        raise Error('job %r: is no name of a job' % name)
    with open(os.path.join(jar().home, 'completed', '.%s.%s' % (name, kind)), 'rb') as file:
        return file.read()


def workers():
    """The workers that have not ended, or hold jobs: each a dict with name, node, state, told, jobs, categories and seen."""
    home = jar()
    found = []
    for name in worker_names(home.worker_home):
        worker = _worker(home, name)
        if worker['jobs'] or worker['state'] not in ('stopped', 'dead'):
            found.append(worker)
    return found


def _worker(home, name):
    path = os.path.join(home.worker_home, name)
    life, state = life_of(path), state_of(path)
    node = parse_name(name)[0]
    try:
        seen = os.stat(os.path.join(path, 'state')).st_mtime
    except OSError:
        seen = None
    if state != 'stopped':
        alive = lives(life) if node == home.node else None
        if alive is False:
            state = 'dead'
        elif not state or alive is None and (seen is None or time.time() - seen > 120):
            state = 'unknown'
    told = ''
    if state != 'stopped':
        for file, word in (('PAUSE', 'pause'), ('STOP', 'stop')):
            if state != 'paused' and os.path.lexists(os.path.join(path, file)):
                told = word
    return {'name': name, 'node': node, 'state': state, 'told': told, 'jobs': jobs_in(path),
            'categories': life.get('categories') or [], 'rota': bool(life.get('holder')), 'seen': seen}


def stranded_jobs():
    """The jobs that dead workers of this machine hold, as (worker, job)."""
    return [(w['name'], job) for w in workers() if w['state'] == 'dead' and not w['rota'] for job in w['jobs']]


def status():
    """A summary: numbers of jobs by folder, what waits by category and priority, workers, and stranded jobs."""
    home = jar()
    waiting = {}
    for category in categories() + [None]:
        counts = {}
        for name in unclaimed_jobs(category):
            counts[names.priority_of(name)] = counts.get(names.priority_of(name), 0) + 1
        if counts:
            waiting[category or ''] = counts
    return {
        'home': home.home, 'worker_home': home.worker_home,
        'unclaimed': sum(sum(counts.values()) for counts in waiting.values()),
        'claimed': len(_names('claimed')), 'completed': len(_names('completed')), 'limbo': len(_names('limbo')),
        'stop_all': os.path.lexists(os.path.join(home.worker_home, 'STOP_ALL')),
        'pause_all': os.path.lexists(os.path.join(home.worker_home, 'PAUSE_ALL')),
        'categories': waiting, 'workers': workers(), 'stranded': stranded_jobs(),
    }


def _names(folder):
    return sorted(name for name in os.listdir(os.path.join(jar().home, folder)) if names.is_job(name))
