"""What runs in the worker and behind the wall, on a bare interpreter: standard library only, relative imports only.

codec.py      plain data to bytes and back, strictly
stream.py     frames on a socket, with caps and a deadline
peer.py       two processes calling each other's objects
handles.py    the stand-in for an object that lives in another process
examine.py    runs a program text that defines `check(candidate)`
candidate.py  hosts the candidate program, or a section's code blocks
namespaces.py a world of its own for the fork server, where bubblewrap does not make it
contain.py    limits, Landlock and seccomp for one process
zygote.py     the warm fork server
worker.py     the judge's worker: trusted tests and the referee
"""
