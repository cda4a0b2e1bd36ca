"""Settings: what a program says goes before the environment, that before the personal file, that before the jar's own."""

import os
import socket


class Error(Exception):
    """What was tried could not be done; the text says why."""


HEAD = '[Job Jar]'
NAMES = ('JJ_HOME', 'JJ_WORKER_HOME', 'JJ_SCRATCH_HOME', 'JJ_NODE', 'JJ_PAUSE_TIME', 'JJ_MAX_WORKERS', 'JJ_CATEGORIES',
         'JJ_TIMEOUT', 'JJ_GRACE', 'JJ_MEM', 'JJ_CPUS', 'JJ_PIDS', 'JJ_NICE')
FOLDERS = ('unclaimed', 'claimed', 'completed', 'limbo')


def parse(text):
    """The settings of a file, as (line, name, value). ValueError has the line in front."""
    found, headed = [], False
    for number, line in enumerate(text.lstrip('\ufeff').split('\n'), 1):
        line = line.strip()
        if not line or line[0] in '#;':
            continue
        if not headed:
            if line != HEAD:
                raise ValueError('%d: %r: the first line that says something must be %s' % (number, line, HEAD))
            headed = True
            continue
        if line[0] == '[':
            raise ValueError('%d: %r: there is no other section than %s' % (number, line, HEAD))
        ends = [i for i in (line.find(':'), line.find('=')) if i > 0]
        if not ends or line[0] in ':=':
            raise ValueError('%d: %r: write NAME: VALUE' % (number, line))
        found.append((number, line[:min(ends)].strip().upper(), line[min(ends) + 1:].strip()))
    return found


class Sources:
    """Where settings come from. load() reads them all."""

    def __init__(self, given, environ, read, user_home, install):
        self.given = given          # by name; what the program says
        self.environ = environ
        self.read = read            # the text of a file; FileNotFoundError when there is none
        self.user_home = user_home  # '': there is no personal file
        self.install = install      # the jar that the library lies in; '': none
        self.notes = []             # sentences on what was not understood

    def load(self):
        """All settings that somebody says, as name: (value, source)."""
        found = {}
        named = self.environ.get('JJ_CONFIG_FILE', '')
        if named:
            found.update(self._file(named, True))
        elif self.user_home:
            found.update(self._file(os.path.join(self.user_home, '.jobjar', 'config.ini'), False))
        for name in NAMES:
            if self.environ.get(name):
                found[name] = (self.environ[name], name)
            if name in self.given:
                found[name] = (self.given[name], 'set by the program')
        folder = self.install or found.get('JJ_HOME', ('',))[0]
        if folder:
            for name, said in self._file(os.path.join(folder, 'config.ini'), False).items():
                found.setdefault(name, said)
        if self.install:
            found.setdefault('JJ_HOME', (self.install, "the library's own folder"))
        return found

    def _file(self, path, must):
        try:
            text = self.read(path)
        except FileNotFoundError:
            if must:
                raise Error('file of settings %s: there is none' % path)
            return {}
        except (OSError, UnicodeDecodeError) as err:
            raise Error('file of settings %s: %s' % (path, err))
        try:
            lines = parse(text)
        except ValueError as err:
            raise Error('%s:%s' % (path, err))
        found = {}
        for line, name, value in lines:
            if name in NAMES:
                found[name] = (value, '%s:%d' % (path, line))
            else:
                self.notes.append('%s:%d: there is no setting %r; it is left out' % (path, line, name))
        return found


class Settings:
    """How a jar is used. JJ_MAX_WORKERS can be read here and not set: it is a machine's, not a program's."""

    def __init__(self, found):
        self._found = {name: said for name, said in found.items() if said[0] != ''}
        self.home = self._get('JJ_HOME', self._path, '')
        if not self.home:
            raise Error('which jar? None is named: call set_home, or set JJ_HOME')
        self.worker_home = self._get('JJ_WORKER_HOME', self._path, os.path.join(self.home, 'workers'))
        self.pause_time = self._get('JJ_PAUSE_TIME', self._seconds, 60.0)
        self.max_workers = self._get('JJ_MAX_WORKERS', self._count, 4)
        self.categories = self._get('JJ_CATEGORIES', lambda text: text.replace(',', ' ').split(), [])
        self.node = self._get('JJ_NODE', str, socket.gethostname())

    def _get(self, name, read, default):
        if name not in self._found:
            return default
        value, source = self._found[name]
        try:
            return read(value)
        except ValueError as err:
            raise Error('%s: %s %r: %s' % (source, name, value, err or 'not understood'))

    @staticmethod
    def _path(text):
        if not os.path.isabs(text):
            raise ValueError('must be an absolute path')
        return os.path.normpath(text)

    @staticmethod
    def _seconds(text):
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < 2**31:
            raise ValueError('a number of seconds')
        return max(seconds, 0.01)

    @staticmethod
    def _count(text):
        try:
            number = int(text)
        except ValueError:
            number = -1
        if number < 0:
            raise ValueError('a number, from 0 on')
        return number


_given = {}


def _read(path):
    with open(path, encoding='utf-8', newline='') as file:
        return file.read()


def _install():
    """The jar that this library lies in, in its folder python."""
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return home if is_jar(home) else ''


def is_jar(home):
    return all(os.path.isdir(os.path.join(home, folder)) for folder in FOLDERS)


def settings():
    """The settings as they are now."""
    home = os.path.expanduser('~')
    return Settings(Sources(_given, os.environ, _read, home if home != '~' else '', _install()).load())


def jar():
    """The settings, for who is about to use the jar: it must be one."""
    found = settings()
    if not is_jar(found.home):
        raise Error('%s is no jar; rota jar init %s makes one there' % (found.home, found.home))
    return found


def _set(name, value):
    if value is None:
        _given.pop(name, None)
        return
    had = dict(_given)
    _given[name] = str(value)
    try:
        Settings({'JJ_HOME': ('/', ''), name: (_given[name], 'set by the program')})
    except Error:
        _given.clear()
        _given.update(had)
        raise


def set_home(path):
    """Says where the jar is: an absolute path. None takes back what was said."""
    _set('JJ_HOME', path)


def get_home():
    """Where the jar is."""
    return settings().home


def set_worker_home(path):
    """Says where the workers' directories are: an absolute path. None takes back what was said."""
    _set('JJ_WORKER_HOME', path)


def get_worker_home():
    """Where the workers' directories are; by default the folder workers of the jar."""
    return settings().worker_home


def set_pause_time(seconds):
    """Says how long a worker sleeps that has nothing to do. It is for workers that this program starts."""
    _set('JJ_PAUSE_TIME', seconds)


def get_pause_time():
    """How long a worker sleeps that has nothing to do, in seconds."""
    return settings().pause_time


def set_categories(names):
    """Says which categories workers look at, in their order. It is for workers that this program starts."""
    _set('JJ_CATEGORIES', None if names is None else ' '.join(names))


def get_categories():
    """The categories that workers look at, in their order."""
    return settings().categories


def get_max_workers():
    """How many workers check_workers wants on a machine."""
    return settings().max_workers
