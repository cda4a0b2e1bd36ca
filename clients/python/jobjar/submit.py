"""Submitting: a copy is made in limbo, and moved from there when it is whole."""

import os
import shutil
import stat

from . import names
from .settings import Error, jar


def unique_job_name(priority=0, id=None):
    """An absolute path in limbo for a job to be, which no other job has or will have. Nothing is there yet."""
    return os.path.join(jar().home, 'limbo', names.unique(id, priority))


def submit_job(command, priority=0, id=None, category=None):
    """Puts a command into the jar, as a script, and returns the job's name. A list of words is joined by single spaces."""
    if not isinstance(command, str):
        command = ' '.join(command)
    if not command.strip():
        raise Error('nothing to run: the command is empty')
    return _submit(lambda to: to.write(('#!/bin/sh -f\n%s\n' % command).encode()), priority, id, category)


def submit_job_file(path, priority=0, id=None, category=None):
    """Puts a copy of an executable file into the jar, and returns the job's name."""
    try:
        with open(path, 'rb') as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Error('%s: is no file' % path)
            if not mode & 0o111:
                raise Error('%s: is not executable' % path)
            return _submit(lambda to: shutil.copyfileobj(file, to), priority, id, category)
    except OSError as err:
        raise Error("the job's file: %s" % err)


def _submit(write, priority, id, category):
    home = jar().home
    folder = os.path.join(home, 'unclaimed')
    if category:
        names.check_category(category)
        folder = os.path.join(folder, category)
    name = names.unique(id, priority)
    limbo = os.path.join(home, 'limbo', name)
    try:
        with os.fdopen(os.open(limbo, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777), 'wb') as file:
            write(file)
        # A file that was not touched since it was last written to is one that may still be written: a rename within the
        # grain of the file system's clock would not show.
        changed = os.stat(limbo).st_mtime_ns - 1000
        os.utime(limbo, ns=(changed, changed))
        os.makedirs(folder, exist_ok=True)
        os.rename(limbo, os.path.join(folder, name))
    except OSError as err:
        try:
            os.unlink(limbo)
        except FileNotFoundError:
            pass
        raise Error('submit %s: %s' % (name, err))
    return name
