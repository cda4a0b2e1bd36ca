"""Tests of the library by itself. CASES is the file of cases for settings that Rota's own reading of them is held to."""

import json
import os
import sys
import tempfile
import threading
import unittest

import jobjar
from jobjar import directories, names, settings


class Settings(unittest.TestCase):
    def test_cases(self):
        with open(os.environ['CASES'], encoding='utf-8') as file:
            cases = json.load(file)
        self.assertGreater(len(cases), 15)
        for case in cases:
            with self.subTest(case['name']):
                self.check(case, case['want'])

    def check(self, case, want):
        def read(path):
            if path in case.get('files', {}):
                return case['files'][path]
            raise FileNotFoundError(path)
        sources = settings.Sources(case.get('given', {}), case.get('env', {}), read, '/home/u', '/jar')
        if 'error' in want:
            with self.assertRaises(jobjar.Error) as caught:
                settings.Settings(sources.load())
            self.assertIn(want['error'], str(caught.exception))
            return
        got = settings.Settings(sources.load())
        self.assertEqual((got.home, got.worker_home, got.pause_time, got.max_workers, got.categories, len(sources.notes)),
                         (want['home'], want['worker_home'], want['pause'], want['max'], want.get('categories', []), want.get('notes', 0)))

    def test_what_a_program_says(self):
        self.addCleanup(settings._given.clear)
        jobjar.set_home('/a')
        jobjar.set_worker_home('/b/')
        jobjar.set_pause_time(500)
        jobjar.set_categories(['LINUX', 'FAST'])
        self.assertEqual((jobjar.get_home(), jobjar.get_worker_home(), jobjar.get_pause_time(), jobjar.get_categories()),
                         ('/a', '/b', 500, ['LINUX', 'FAST']))
        for wrong in (lambda: jobjar.set_home('here'), lambda: jobjar.set_pause_time('soon'), lambda: jobjar.set_pause_time(-1)):
            self.assertRaises(jobjar.Error, wrong)
        self.assertEqual((jobjar.get_home(), jobjar.get_pause_time()), ('/a', 500))
        jobjar.set_worker_home(None)
        self.assertEqual(jobjar.get_worker_home(), '/a/workers')
        self.assertFalse(hasattr(jobjar, 'set_max_workers'))
        os.environ['JJ_MAX_WORKERS'] = '7'
        self.addCleanup(os.environ.pop, 'JJ_MAX_WORKERS')
        self.assertEqual(jobjar.get_max_workers(), 7)


class Names(unittest.TestCase):
    def test_priorities(self):
        for name, want in {'job': 0, 'job.15': 15, 'job.-3': -3, 'a.b.7': 7, 'job.15.sh': 0, 'job.': 0, 'job.+5': 0, 'job.\u0663': 0,
                           '.15': 0, 'job.99999999999999999999': 0, 'job.1_0': 0, 'job. 5': 0}.items():
            self.assertEqual(names.priority_of(name), want, name)

    def test_names_are_unique(self):
        found, lock = [], threading.Lock()

        def make():
            for _ in range(300):
                name = names.unique('v1.7', -3)
                with lock:
                    found.append(name)
        threads = [threading.Thread(target=make) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(set(found)), 1200)
        for name in found:
            self.assertEqual(names.priority_of(name), -3)
            self.assertIn('v1.7', name)

    def test_what_cannot_be_a_name(self):
        for id in ('a/b', 'a\nb', 'x' * 65):
            self.assertRaises(jobjar.Error, names.unique, id, 0)
        for priority in ('high', 1.5, None, True):
            self.assertRaises(jobjar.Error, names.unique, None, priority)
        for category in ('.', '..', 'a/b', '.x', 'a\n'):
            self.assertRaises(jobjar.Error, names.check_category, category)

    def test_workers(self):
        self.assertEqual(directories.parse_name('a.b.12'), ('a.b', '12'))
        self.assertEqual(directories.parse_name('rain.7-2'), ('rain', '7-2'))
        for name in ('rain', '.7', 'rain.', 'rain.x', 'rain.7-', 'rain.7-2-3'):
            self.assertIsNone(directories.parse_name(name), name)


class Jar(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name
        for name in settings.FOLDERS:
            os.mkdir(os.path.join(self.home, name))
        jobjar.set_home(self.home)
        self.addCleanup(settings._given.clear)

    def test_submitting(self):
        first = jobjar.submit_job('big "a  b" 104.1')
        second = jobjar.submit_job(['ls', '-l'], 10, id='test_run', category='LINUX')
        third = jobjar.submit_job('true', priority=5)
        with open(os.path.join(self.home, 'unclaimed', first)) as file:
            self.assertEqual(file.read(), '#!/bin/sh -f\nbig "a  b" 104.1\n')
        self.assertTrue(os.access(os.path.join(self.home, 'unclaimed', 'LINUX', second), os.X_OK))
        self.assertEqual(jobjar.unclaimed_jobs(), [third, first])
        self.assertEqual(jobjar.unclaimed_jobs('LINUX'), [second])
        self.assertEqual(jobjar.unclaimed_jobs('NONE'), [])
        self.assertEqual(jobjar.categories(), ['LINUX'])
        self.assertEqual(os.listdir(os.path.join(self.home, 'limbo')), [])
        self.assertEqual(jobjar.status()['categories'], {'LINUX': {10: 1}, '': {5: 1, 0: 1}})
        stat = os.stat(os.path.join(self.home, 'unclaimed', first))
        self.assertLess(stat.st_mtime_ns, stat.st_ctime_ns)  # it is known to be whole

    def test_submitting_files(self):
        path = os.path.join(self.home, 'prog')
        with open(path, 'w') as file:
            file.write('#!/bin/sh\n')
        self.assertRaises(jobjar.Error, jobjar.submit_job_file, path)
        os.chmod(path, 0o755)
        name = jobjar.submit_job_file(path, -3, id='test_run')
        with open(os.path.join(self.home, 'unclaimed', name)) as file:
            self.assertEqual(file.read(), '#!/bin/sh\n')
        for wrong in (lambda: jobjar.submit_job_file('/does/not/exist'), lambda: jobjar.submit_job_file(self.home),
                      lambda: jobjar.submit_job('  '), lambda: jobjar.submit_job('x', category='a/b'), lambda: jobjar.submit_job('x', id='a/b')):
            self.assertRaises(jobjar.Error, wrong)
        self.assertEqual(os.listdir(os.path.join(self.home, 'limbo')), [])

    def test_telling(self):
        for name in ('rain.7', 'rain.7-1', 'rain.8', 'flower.7', 'no worker'):
            os.makedirs(os.path.join(self.home, 'workers', name))
        with open(os.path.join(self.home, 'workers', 'rain.8', 'state'), 'w') as file:
            file.write('stopped\n')

        def told(word):
            return sorted(name for name in os.listdir(os.path.join(self.home, 'workers'))
                          if os.path.exists(os.path.join(self.home, 'workers', name, word)))
        self.assertEqual(jobjar.pause_all(), ['flower.7', 'rain.7', 'rain.7-1'])
        self.assertEqual(told('PAUSE'), ['flower.7', 'rain.7', 'rain.7-1'])
        self.assertEqual(jobjar.unpause_worker('rain.7'), ['rain.7', 'rain.7-1'])
        self.assertEqual(told('PAUSE'), ['flower.7'])
        self.assertEqual(jobjar.unpause('rain', 'flower.7'), ['rain.7', 'rain.7-1', 'flower.7'])
        self.assertEqual(jobjar.stop_node('flower'), ['flower.7'])
        self.assertEqual(told('STOP'), ['flower.7'])
        with self.assertRaises(jobjar.Error):
            jobjar.stop('nobody', 'rain.7')
        self.assertEqual(told('STOP'), ['flower.7', 'rain.7', 'rain.7-1'])

    def test_looking_at_nothing(self):
        self.assertEqual(jobjar.workers(), [])
        self.assertIsNone(jobjar.exit_code('job'))
        self.assertEqual(jobjar.output('job'), b'')
        self.assertRaises(jobjar.Error, jobjar.exit_code, '../job')

    def test_what_is_no_jar(self):
        os.rmdir(os.path.join(self.home, 'limbo'))
        self.assertRaises(jobjar.Error, jobjar.submit_job, 'true')
        jobjar.set_home(None)
        had = os.environ.pop('JJ_HOME', None)
        self.assertIsNone(had)
        self.assertRaises(jobjar.Error, jobjar.get_home)


if __name__ == '__main__':
    print('python', sys.version.split()[0])
    unittest.main(verbosity=2)
