"""The Job Jar from Python: submit jobs to a jar, tell its workers to stop, pause and go on, and look at what it does.

A jar is a folder, usually on a shared disk, in which jobs are executable files and workers claim them by renaming. This
library touches that folder and nothing else; it needs Python 3.7 or later, and nothing besides its standard library.

    import jobjar
    jobjar.set_home('/shared/jar')
    jobjar.submit_job('/usr/local/bin/simulate input 104.1 30')
    jobjar.submit_job_file('/opt/local/bin/job', -3, id='test_run', category='LINUX')

Which jar is meant says set_home, else the variable JJ_HOME, else a file of settings, else the place of this library: when it
lies in a jar it is that jar's.
"""

from .control import (pause, pause_all, pause_node, pause_worker, stop, stop_all, stop_node, stop_worker, unpause,
                      unpause_all, unpause_node, unpause_worker)
from .look import (categories, claimed_jobs, completed_jobs, error_output, exit_code, output, status, stranded_jobs,
                     unclaimed_jobs, workers)
from .settings import (Error, get_categories, get_home, get_max_workers, get_pause_time, get_worker_home, set_categories,
                       set_home, set_pause_time, set_worker_home)
from .submit import submit_job, submit_job_file, unique_job_name

__all__ = [
    'Error', 'categories', 'claimed_jobs', 'completed_jobs', 'error_output', 'exit_code', 'get_categories', 'get_home',
    'get_max_workers', 'get_pause_time', 'get_worker_home', 'output', 'pause', 'pause_all', 'pause_node', 'pause_worker',
    'set_categories', 'set_home', 'set_pause_time', 'set_worker_home', 'status', 'stop', 'stop_all', 'stop_node',
    'stop_worker', 'stranded_jobs', 'submit_job', 'submit_job_file', 'unclaimed_jobs', 'unique_job_name', 'unpause',
    'unpause_all', 'unpause_node', 'unpause_worker', 'workers',
]
