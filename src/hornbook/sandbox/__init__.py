"""Runs Python that nobody vouches for, and says what it does not stop. The door is `run.py`.

Three roles, three places: the candidate lives in a contained child, the tests live apart from it (trusted ones in the
judge's worker, others in a contained child of their own), and the judge in this process runs no foreign code at all.

    run.py      the door: judge, execute
    pool.py     hands work to workers, restarts the dead, re-runs time-outs alone
    launch.py   starts a worker and its fork server at a level of isolation
    probe.py    finds the strongest level that holds, by trying to break it
    bare/       what runs on a bare interpreter on the far side: standard library only
"""
