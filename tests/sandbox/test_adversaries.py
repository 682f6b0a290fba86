"""One adversary per test: programs, and tests, that try to forge a verdict, escape, or take the machine down.

All of a group are judged in one go; each test then looks at its own adversary's verdict.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import tempfile
import time

import pytest

from hornbook.sandbox.launch import LEVELS
from hornbook.sandbox.pool import Crew
from hornbook.sandbox.probe import probe_level
from hornbook.sandbox.run import Program, Sandbox, judge, setting_of

CHECK = "def check(candidate):\n    assert candidate(3) == 9\n    assert candidate(4) == 16\n    assert candidate(-2) == 4\n"
QUICK = {"cpu_seconds": 1, "wall_seconds": 2.5, "workers": 2, "memory_mb": 256}
CLASS = "def f(x):\n    return E()\n"

FORGERS = {
    "always equal": "class E:\n    def __eq__(self, other): return True\n    __hash__ = None\n" + CLASS,
    "never unequal": "class E:\n    def __ne__(self, o): return False\n    def __eq__(self, o): return True\n" + CLASS,
    "always-equal int": "class E(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    + CLASS,
    "always-equal str": "class E(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
    + CLASS,
    "always-equal list": "class E(list):\n    def __eq__(self, other): return True\n" + CLASS,
    "metaclass": "class M(type):\n    def __eq__(c, o): return True\n    __hash__ = type.__hash__\nclass E(metaclass=M): pass\ndef f(x): return E\n",
    "lies about its class": "class E:\n    @property\n    def __class__(self): return int\n    def __eq__(self, o): return True\n"
    + CLASS,
    "frame walk": "import sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n        for n in list(frame.f_locals): frame.f_locals[n] = 9\n        for n, v in list(frame.f_globals.items()):\n            if 'check' in n or 'assert' in n: frame.f_globals[n] = lambda *a: None\n        frame = frame.f_back\n    return 9\n",
    "gc hunt": "import gc\ndef f(x):\n    for o in gc.get_objects():\n        if isinstance(o, dict) and 'check' in o: o['check'] = lambda c: None\n    return 9\n",
    "settrace": "import sys\nsys.settrace(lambda *a: None)\ndef f(x): return 0\n",
    "patched builtins": "import builtins\nbuiltins.AssertionError = type('A', (Warning,), {})\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = builtins.any = lambda *a: True\ndef f(x): return 0\n",
    "redefined check": "def check(candidate): return None\ndef f(x): return 0\n",
    "rewrites the harness": "import sys\nfor m in list(sys.modules.values()):\n    for n in ('examine', 'describe', 'check'):\n        if hasattr(m, n): setattr(m, n, lambda *a, **k: ('passed', ''))\ndef f(x): return 0\n",
    "shadows builtins": "def abs(x): return 0\ndef len(x): return 9\nall = any = lambda *a: True\ndef f(x): return 0\n",
    "exits with 0": "import os\ndef f(x): os._exit(0)\n",
    "exits at import": "import os\nos._exit(0)\n",
    "sys.exit": "import sys\ndef f(x): sys.exit(0)\n",
    "sys.exit at import": "import sys\nsys.exit(0)\n",
    "atexit": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): return 0\n",
    "raises StopIteration": "def f(x): raise StopIteration\n",
    "raises GeneratorExit": "def f(x): raise GeneratorExit\n",
    "raises SystemExit(0)": "def f(x): raise SystemExit(0)\n",
    "descriptor spray": "import os\nfor fd in range(64):\n    try: os.write(fd, b'\\x06\\x00\\x00\\x00passed' * 50)\n    except OSError: pass\ndef f(x): return 0\n",
    "forged replies": "import os, struct\ndef f(x):\n    m = b'(\\x03\\0\\0\\0s\\x01\\0\\0\\0=i\\x01\\0\\0\\0\\x02s\\0\\0\\0\\0(\\x02\\0\\0\\0NN'\n    for fd in range(3, 64):\n        try: os.write(fd, struct.pack('<I', len(m)) + m)\n        except OSError: pass\n    return 0\n",
    "enormous frame": "import os\ndef f(x):\n    for fd in range(3, 64):\n        try: os.write(fd, b'\\xff' * 64)\n        except OSError: pass\n    return 9\n",
    "closes everything": "import os\ndef f(x):\n    os.closerange(0, 64)\n    return 9\n",
    "thread that outlives": "import threading, os, time\ndef g():\n    time.sleep(0.01)\n    os._exit(0)\nthreading.Thread(target=g).start()\ndef f(x):\n    import time; time.sleep(0.2)\n    return 0\n",
    "huge return": "def f(x): return 'x' * (64 << 20)\n",
    "self-referring return": "def f(x):\n    a = []\n    a.append(a)\n    return a\n",
    "deep return": "def f(x):\n    a = []\n    for _ in range(100000): a = [a]\n    return a\n",
    "endless iterator": "import itertools\ndef f(x): return itertools.repeat(x * x)\n",
    "generator": "def f(x): yield x * x\n",
    "not a number": "def f(x): return float('nan')\n",
    "no entry point": "def g(x): return x * x\n",
    "does not parse": "def f(x) return x * x\n",
    "recursion": "def f(x): return f(x)\n",
    "compile bomb": "x = " + "(" * 5000 + "1" + ")" * 5000 + "\ndef f(x): return x\n",
    "abort": "import ctypes\ndef f(x): ctypes.string_at(0)\n",
    "null source": "x = '\0'\n",
}

ESCAPES = {
    "canary": "def f(x): return open({canary!r}).read() and x * x\n",
    "symlink": "import os\ndef f(x):\n    os.symlink({canary!r}, 'link')\n    return open('link').read() and x * x\n",
    "home": "import os\ndef f(x): return os.listdir({home!r}) and x * x\n",
    "repository": "def f(x): return open({here!r}).read() and x * x\n",
    "writes outside": "def f(x):\n    open({folder!r} + '/x', 'w').close()\n    return x * x\n",
    "environment": "import os\ndef f(x): return x * x if os.environ or b'HASHSEED' in open('/proc/self/environ', 'rb').read() else 0\n",
    "network": "import socket\ndef f(x):\n    socket.create_connection(('127.0.0.1', {port}), 1)\n    return x * x\n",
    "name lookup": "import socket\ndef f(x): return socket.gethostbyname('example.com') and x * x\n",
    "abstract socket": "import socket\ndef f(x):\n    socket.socket(socket.AF_UNIX).connect({abstract!r})\n    return x * x\n",
    "kills the parent": "import os, signal\ndef f(x):\n    os.kill(os.getppid(), signal.SIGKILL)\n    return x * x\n",
    "kills the group": "import os, signal\ndef f(x):\n    os.killpg(0, signal.SIGKILL)\n    return x * x\n",
    "kills everyone": "import os, signal\ndef f(x):\n    os.kill(-1, signal.SIGKILL)\n    return x * x\n",
    "kills the judge": "import os, signal\ndef f(x):\n    os.kill({pid}, signal.SIGKILL)\n    return x * x\n",
    "ptrace": "import ctypes\ndef f(x): return x * x if ctypes.CDLL(None).ptrace(16, {pid}, 0, 0) == 0 else 0\n",
    "memory of the parent": "import os\ndef f(x): return open('/proc/%d/mem' % os.getppid(), 'rb+') and x * x\n",
    "fork": "import os\ndef f(x):\n    if os.fork() == 0: os._exit(0)\n    return x * x\n",
    "subprocess": "import subprocess\ndef f(x): return subprocess.call(['/bin/true']) or x * x\n",
    "exec": "import os, sys\ndef f(x): os.execv({python!r}, ['python', '-c', 'print(1)'])\n",
    "exec by ctypes": "import ctypes\ndef f(x): return ctypes.CDLL(None).system(b'true') + 1 or x * x\n",
    "unshare": "import ctypes\ndef f(x): return x * x if ctypes.CDLL(None).unshare(0x10000000) == 0 else 0\n",
    "memfd": "import os\ndef f(x): return os.memfd_create('m') and x * x\n",
    "raises its limits": "import resource\ndef f(x):\n    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))\n    return x * x\n",
    "shared memory": "import ctypes\ndef f(x): return x * x if ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) >= 0 else 0\n",
}  # fmt: skip

BOMBS = {
    "endless loop": ("while True: pass\n", {"timeout"}),
    "endless loop in the call": ("def f(x):\n    while True: pass\n", {"timeout"}),
    "loop in C": ("def f(x): return sum(iter(int, 1))\n", {"timeout"}),
    "catches its signals": ("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass\n", {"timeout"}),
    "sleep": ("import time\ndef f(x): time.sleep(60)\n", {"timeout"}),
    "big power": ("def f(x): return len(str(9 ** 9 ** 9))\n", {"timeout", "failed"}),
    "memory at once": ("def f(x): return len('x' * (8 << 30))\n", {"failed"}),
    "memory step by step": ("def f(x):\n    a = []\n    while True: a.append('x' * 1000000)\n", {"failed", "crashed"}),
    "fork bomb": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: break\nos.fork()\n", {"blocked"}),
    "thread bomb": ("import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()\n", {"failed", "crashed", "timeout"}),
    "output flood": ("while True: print('x' * 10000)\n", {"failed"}),
    "output flood in C": ("import os\nwhile True: os.write(1, b'x' * 65536)\n", {"timeout"}),
    "huge file": ("def f(x):\n    with open('big', 'wb') as s:\n        while True: s.write(b'x' * 1000000)\n", {"failed", "crashed"}),
    "many files": ("n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'w').close()\n", {"timeout", "failed"}),
    "endless printing of frames": ("import os\nwhile True:\n    for fd in range(1, 64):\n        try: os.write(fd, b'\\x01\\0\\0\\0N' * 99)\n        except OSError: pass\n", {"crashed"}),
}  # fmt: skip

HOSTILE_TESTS = {
    "exits with 0": "def check(c):\n    import os\n    os._exit(0)\n",
    "exits at import": "import os\nos._exit(0)\n",
    "sys.exit": "import sys\ndef check(c): sys.exit(0)\n",
    "writes its own outcome": "import os\ndef check(c):\n    for fd in range(3, 64):\n        try: os.write(fd, b'passed' * 99)\n        except OSError: pass\n    os._exit(0)\n",
    "no check": "check = 3\n",
    "does not parse": "def check(c) assert\n",
    "loops": "def check(c):\n    while True: pass\n",
    "reads the canary": "def check(c): assert open({canary!r}).read() == 'chirp'\n",
    "network": "import socket\ndef check(c): socket.create_connection(('127.0.0.1', {port}), 1)\n",
    "kills": "import os\ndef check(c): os.kill(os.getppid(), 9)\n",
    "memory": "def check(c): assert len('x' * (8 << 30))\n",
    "swallows a dead candidate": "def check(c):\n    try: c.die()\n    except BaseException: pass\n",
}  # fmt: skip


def planted(text: str, marks: dict) -> str:
    for name, value in marks.items():
        text = text.replace("{" + name + "!r}", repr(value)).replace("{" + name + "}", str(value))
    return text


@functools.cache
def marks() -> dict:
    """Things outside that must not be reached; they live as long as the test run."""
    kept = tempfile.TemporaryDirectory(prefix="hornbook-test-")
    folder = kept.name
    with open(folder + "/canary", "w") as stream:
        stream.write("chirp")
    server = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    name = f"\0hornbook-test-{os.getpid()}"
    abstract.bind(name)
    abstract.listen()
    found = {"canary": folder + "/canary", "folder": folder, "home": os.path.expanduser("~"), "here": __file__}
    found |= {"port": server.getsockname()[1], "abstract": name, "pid": os.getpid(), "python": sys.executable}
    return found | {"keep": (server, abstract, kept)}


@functools.cache
def verdicts(group: str, level: str, trusted: bool) -> dict:
    """The verdicts on a group of adversaries, by name."""
    sources = {"forgers": FORGERS, "escapes": ESCAPES}[group]
    programs = [Program(name, 0, planted(s, marks()), CHECK, "f", trusted) for name, s in sources.items()]
    return {v.task_id: v for v in judge(Sandbox(level=level, **QUICK), programs)}


def available(level: str) -> str:
    if probe_level(level) is None:
        pytest.skip(f"isolation level {level} does not work on this machine")
    return level


WALLED = [level for level in LEVELS if level in ("bubblewrap", "landlock")]


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "contained"])
@pytest.mark.parametrize("name", FORGERS)
def test_no_forger_passes(name, trusted):
    verdict = verdicts("forgers", "strongest", trusted)[name]
    assert verdict.status in ("failed", "crashed", "blocked", "timeout"), verdict


@pytest.mark.parametrize("level", WALLED)
@pytest.mark.parametrize("name", ESCAPES)
def test_no_escape_succeeds(name, level):
    verdict = verdicts("escapes", available(level), True)[name]
    assert verdict.status in ("failed", "crashed", "blocked"), verdict


@functools.cache
def bomb_outcomes() -> dict:
    """What workers say of the bombs at first; the second run of a time-out is tested elsewhere."""
    jobs = [(name, ("trusted", planted(source, marks()), CHECK, "f")) for name, (source, _) in BOMBS.items()]
    with Crew(setting_of(Sandbox(**QUICK)), 2) as crew:
        return dict(crew.work(jobs))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused(name):
    assert bomb_outcomes()[name][0] in BOMBS[name][1]


@functools.cache
def hostile_verdicts() -> dict:
    good = "def f(x): return x * x\n"
    programs = [
        Program(
            name,
            0,
            "import os\nclass C:\n    def die(s): os._exit(0)\nf = C()\n" if "dead" in name else good,
            planted(t, marks()),
            "f",
            False,
        )
        for name, t in HOSTILE_TESTS.items()
    ]
    return {v.task_id: v for v in judge(Sandbox(**QUICK), programs)}


@pytest.mark.parametrize("name", HOSTILE_TESTS)
def test_hostile_tests_do_not_pass(name):
    verdict = hostile_verdicts()[name]
    assert verdict.status in ("failed", "crashed", "blocked", "timeout"), verdict


LEAKS = {
    "a file": ("open('left', 'w').write('x')", "import os\ndef f(): return os.listdir('.')"),
    "a locked folder": ("import os\nos.makedirs('a/b')\nos.chmod('a', 0)", "import os\ndef f(): return os.listdir('.')"),
    "a module": ("import sys\nsys.modules['left'] = sys", "import sys\ndef f(): return [m for m in sys.modules if m == 'left']"),
    "a builtin": ("import builtins\nbuiltins.left = 1", "import builtins\ndef f(): return [n for n in dir(builtins) if n == 'left']"),
    "an environment variable": ("import os\nos.environ['left'] = '1'", "import os\ndef f(): return list(os.environ)"),
    "a working directory": ("import os\nos.mkdir('d')\nos.chdir('d')", "import os\ndef f(): return [os.getcwd()][os.getcwd().endswith('d') - 1:][:0] if not os.getcwd().endswith('/d') else [1]"),
    "a running thread": ("import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()", "import threading\ndef f(): return threading.enumerate()[1:]"),
    "random state": ("import random\nrandom.seed(5)", "import random\na = random.random()\nrandom.seed(0)\ndef f(): return [] if a == random.random() else [a]"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_nothing_leaks_to_the_next_program(name):
    before, after = LEAKS[name]
    config = Sandbox(workers=1, level=available("bubblewrap"))
    left = Program("left", 0, before + "\ndef f(): return []\n", "def check(c): assert c() == []", "f", True)
    found = Program("left", 1, after + "\n", "def check(c): assert c() == []", "f", True)
    assert [v.status for v in judge(config, [left, found])] == ["passed", "passed"]


def test_deep_folders_are_swept():
    dig = "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')\ndef f(): return []\n"
    look = "import os\ndef f(): return os.listdir('.')\n"
    programs = [Program("deep", i, s, "def check(c): assert c() == []", "f", True) for i, s in enumerate((dig, look))]
    config = Sandbox(workers=1, level=available("bubblewrap"))
    assert [v.status for v in judge(config, programs)] == ["passed", "passed"]


def test_a_sleeper_does_not_delay_the_rest_by_more_than_its_limit():
    began = time.monotonic()
    programs = [Program("sleep", 0, "import time\ndef f(x): time.sleep(99)", CHECK, "f", True)]
    assert judge(Sandbox(wall_seconds=0.5, workers=1), programs)[0].status == "timeout"
    assert time.monotonic() - began < 6
