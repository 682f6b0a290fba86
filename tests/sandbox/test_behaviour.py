"""What ordinary programs and tests can rely on; how the judge behaves as a neighbour."""

from __future__ import annotations

import doctest
import functools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hornbook import cli
from hornbook.errors import InfrastructureError, RequestError
from hornbook.records import Verdict
from hornbook.sandbox import launch, pool, probe, run
from hornbook.sandbox.bare import codec
from hornbook.sandbox.run import BlockResult, Program, Sandbox, execute, execute_many, judge, parses

ONE = Sandbox(workers=1, cpu_seconds=2, wall_seconds=8)
SQUARE = "def f(x): return x * x\n"

# name: (source, tests); every one passes when tests run beside the program, and must here, trusted or not
ORDINARY = {
    "plain values": ("def f(x): return x\n", "def check(c):\n    for v in (1, -1.5, 'é', b'x', None, [1, (2, {3})], {'a': {1: 2}}, 1j, float('inf')):\n        assert c(v) == v and type(c(v)) is type(v)\n"),
    "keywords": ("def f(a, *b, c=1, **d): return a, b, c, d\n", "def check(c): assert c(1, 2, c=3, e=4) == (1, (2,), 3, {'e': 4})\n"),
    "changes its arguments": ("def f(a, d):\n    a.sort()\n    d['k'].append(1)\n", "def check(c):\n    a, d = [3, 1, 2], {'k': []}\n    inner = d['k']\n    assert c(a, d) is None\n    assert a == [1, 2, 3] and d == {'k': [1]} and inner == [1]\n"),
    "raises": ("def f(x):\n    raise ValueError('bad', x)\n", "def check(c):\n    try: c(3)\n    except ValueError as e: assert e.args == ('bad', 3)\n    else: assert False\n"),
    "raises its own": ("class Mine(KeyError): pass\ndef f(x): raise Mine(x)\n", "def check(c):\n    try: c(3)\n    except KeyError as e: assert e.args == (3,)\n    else: assert False\n"),
    "takes a function": ("def f(g, xs): return [g(x) for x in xs]\n", "def check(c):\n    seen = []\n    assert c(lambda x: seen.append(x) or x + 1, [1, 2]) == [2, 3]\n    assert seen == [1, 2] and c(len, ['ab']) == [2]\n"),
    "returns a function": ("def f(n): return lambda x: x + n\n", "def check(c): assert c(2)(3) == 5 and list(map(c(1), [1, 2])) == [2, 3]\n"),
    "generator": ("def f(n):\n    for i in range(n): yield i\n", "def check(c): assert list(c(3)) == [0, 1, 2] and next(c(1)) == 0\n"),
    "takes a generator": ("def f(xs): return sum(xs)\n", "def check(c): assert c(x for x in range(4)) == 6 and c(map(abs, [-1])) == 1\n"),
    "a class": ("class Stack:\n    def __init__(self): self.items = []\n    def append(self, x): self.items.append(x)\n    def pop(self): return self.items.pop()\n    def __len__(self): return len(self.items)\n    def __str__(self): return 'Stack' + str(self.items)\n", "def check(c):\n    s = c()\n    s.append(1); s.append(2)\n    assert len(s) == 2 and s.pop() == 2 and s.items == [1] and str(s) == 'Stack[1]' and s\n"),
    "helper and class by name": ("class Node:\n    def __init__(self, v): self.v, self.next = v, None\ndef total(n): return n.v + (total(n.next) if n.next else 0)\ndef f(n): return total(n)\n", "root = Node(1)\nroot.next = Node(2)\ndef check(c): assert c(root) == 3 == total(root) and root.next.v == 2\n"),
    "an object of the tests": ("def f(t): return t.v + (f(t.left) if t.left else 0)\ndef g(): pass\n", "class T:\n    def __init__(self, v, left=None): self.v, self.left = v, left\ndef check(c): assert c(T(1, T(2))) == 3\n"),
    "reshapes the tests' objects": ("def f(n):\n    before = None\n    while n: n.next, before, n = before, n, n.next\n    return before\n", "class N:\n    def __init__(self, v, next=None): self.v, self.next = v, next\ndef check(c):\n    r = c(N(1, N(2)))\n    assert r.v == 2 and r.next.v == 1 and r.next.next is None\n"),
    "prints": ("def f(x): print('hello', x)\n", "import contextlib, io\ndef check(c):\n    with contextlib.redirect_stdout(io.StringIO()) as out: c(3)\n    assert out.getvalue() == 'hello 3\\n'\n"),
    "uses the library": ("import heapq, json, re, decimal, dataclasses, datetime, statistics, asyncio\n@dataclasses.dataclass\nclass P:\n    x: int\nasync def g(): return 1\ndef f(x): return asyncio.run(g()) + P(x).x\n", "def check(c): assert c(2) == 3\n"),
    "threads": ("import threading\ndef f(n):\n    out = []\n    ts = [threading.Thread(target=out.append, args=(i,)) for i in range(n)]\n    [t.start() for t in ts]; [t.join() for t in ts]\n    return sorted(out)\n", "def check(c): assert c(4) == [0, 1, 2, 3]\n"),
    "scratch file": ("import tempfile\ndef f(x):\n    with tempfile.NamedTemporaryFile('w+') as s:\n        s.write(x); s.seek(0)\n        return s.read()\n", "def check(c): assert c('abc') == 'abc'\n"),
    "big list": ("def f(xs): return sorted(xs)\n", "def check(c): assert c(list(range(50000, 0, -1))) == list(range(1, 50001))\n"),
    "recursion": ("def f(n): return 0 if n == 0 else 1 + f(n - 1)\n", "def check(c): assert c(800) == 800\n"),
    "rich types": ("from collections import *\nfrom decimal import Decimal\ndef f(x): return Counter('aab'), deque([1]), OrderedDict(a=1), Decimal('1.5'), defaultdict(int, {1: 2}), range(3)\n", "from collections import *\nfrom decimal import Decimal\ndef check(c): assert c(1) == (Counter('aab'), deque([1]), OrderedDict(a=1), Decimal('1.5'), {1: 2}, range(3))\n"),
    "types": ("def f(x, t): return isinstance(x, t)\n", "def check(c): assert c(1, int) and not c(1, str)\n"),
}  # fmt: skip


@functools.cache
def ordinary(trusted: bool) -> dict:
    programs = [Program(n, 0, s, t, "Stack" if n == "a class" else "f", trusted) for n, (s, t) in ORDINARY.items()]
    return {v.task_id: v for v in judge(Sandbox(workers=2), programs)}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "contained"])
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_pass(name, trusted):
    assert ordinary(trusted)[name] == Verdict(name, 0, "passed")


DETAILS = [
    (SQUARE, "def check(c):\n    assert c(2) == 5\n", ("failed", "AssertionError: assert c(2) == 5")),
    (SQUARE, "def check(c):\n    assert c(2) == 5, 'two squared'\n", ("failed", "AssertionError: two squared")),
    ("def f(x): return y\n", "def check(c): c(1)\n", ("failed", "NameError: name 'y' is not defined")),
    ("def f(x) return\n", "def check(c): c(1)\n", ("failed", "SyntaxError: expected ':' (<candidate>, line 1)")),
    ("def f(x): return open('/etc/passwd')\n", "def check(c): c(1)\n", None),
    ("def f(x): raise ValueError(object())\n", "def check(c): c(1)\n", ("failed", "ValueError: def check(c): c(1)")),
    ("def f(x): raise ValueError(str(object()) + ' /a/b.py')\n", "def check(c): c(1)\n", ("failed", "ValueError: <object object at 0x…> …")),
    ("import os\ndef f(x): os._exit(3)\n", "def check(c): c(1)\n", ("crashed", "left with exit status 3")),
    ("def f(x): raise type('Odd', (Exception,), {})('why')\n", "def check(c): c(1)\n", ("failed", "CandidateError: ('Odd', 'why')")),
    ("def g(x): return 1\n", "def check(c): c(1)\n", ("failed", "NameError: the program defines no f")),
    (SQUARE, "def verify(c): c(1)\n", ("failed", "NameError: the tests define no check(candidate)")),
]  # fmt: skip


def test_details_say_what_went_wrong_without_paths_or_addresses():
    found = judge(ONE, [Program("t", i, s, t, "f", True) for i, (s, t, _) in enumerate(DETAILS)])
    for verdict, (_, _, expected) in zip(found, DETAILS, strict=True):
        assert "/" not in verdict.detail
        assert expected is None or (verdict.status, verdict.detail) == expected


def mixed(count: int) -> list[Program]:
    sources = [SQUARE, "def f(x): return x\n", "import os\nos._exit(1)\n", "import random\ndef f(x): return random.random()\n",
               "def f(x): return hash('a') % 7\n", "def f(x): return list({'a', 'b', 'c'})\n", "while True: pass\n"]  # fmt: skip
    tests = "def check(c): assert c(3) == 9, str(c(3))\n"
    return [Program(f"t{i % 3}", i, sources[i % 6 if i else 6], tests, "f", i % 2 == 0) for i in range(count)]


def test_verdicts_do_not_depend_on_the_number_of_workers():
    seen: list[Verdict] = []
    one = judge(Sandbox(workers=1, cpu_seconds=1), mixed(40), seen.append)
    two = judge(Sandbox(workers=2, cpu_seconds=1), iter(mixed(40)))
    assert one == two
    assert sorted(seen, key=lambda v: (v.task_id, v.sample)) == one
    assert {v.status for v in one} == {"passed", "failed", "crashed", "timeout"}


def busy(cpu_seconds: float) -> str:
    return f"import time\nwhile time.process_time() < {cpu_seconds}: pass\n"


def test_what_ran_out_of_processor_time_gets_three_times_it_alone():
    slow, slower = (
        Program("t", n, busy(seconds) + "def f(x): return x * x\n", "def check(c): assert c(3) == 9", "f")
        for n, seconds in enumerate([2.3, 3.7])
    )
    assert [v.status for v in judge(Sandbox(workers=1, cpu_seconds=1), [slow, slower])] == ["passed", "timeout"]
    assert [r.error for r in execute(Sandbox(workers=1, cpu_seconds=1), [busy(1.3)])] == [None]


def test_blocks_share_a_namespace_and_stop_nothing_when_one_fails():
    blocks = [
        "x = 1\nprint(x)",
        "print(x + 1)\n1 / 0",
        "if __name__ == '__main__':\n    print('main')",
        "def f(:",
        "print(end='')",
    ]
    assert execute(ONE, blocks) == [
        BlockResult("1\n", None),
        BlockResult("2\n", "ZeroDivisionError: division by zero"),
        BlockResult("main\n", None),
        BlockResult("", "SyntaxError: invalid syntax (<block>, line 1)"),
        BlockResult("", None),
    ]


def test_blocks_that_end_the_process_or_run_on():
    many = execute_many(
        Sandbox(workers=2, cpu_seconds=1),
        [["print(1)", "import os; os._exit(4)", "print(2)"], ["while True: pass"], [], ["x = 5"], ["print(x)"]],
    )
    assert [[r.error for r in results] for results in many] == [
        [None, "crashed: the block left with exit status 4", "not run: an earlier block ended the process"],
        ["timeout: the block ran out of CPU time"],
        [],
        [None],
        ["NameError: name 'x' is not defined"],
    ]


def test_parses():
    assert parses("x = 1")
    assert not parses("x =")
    assert not parses("\0")
    assert not parses("(" * 10000)


def test_a_program_too_large_to_send_fails():
    verdicts = judge(ONE, [Program("t", 0, "#" * (9 << 20), "def check(c): pass", "f", True)])
    assert verdicts == [Verdict("t", 0, "failed", "the program is too large")]


def children() -> set[int]:
    return {p.pid for p in psutil.Process().children(recursive=True)}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for level in (*launch.LEVELS, launch.UNSAFE):
        if probe.probe_level(level) is None:
            continue
        config = ONE.model_copy(update={"level": level, "unsafe": True})
        judge(config, [Program("t", 0, SQUARE, "def check(c): pass", "f", True)])
        before = children(), descriptors()
        judge(config, [Program("t", i, SQUARE, "def check(c): pass", "f", True) for i in range(20)])
        assert (children(), descriptors()) == before
        assert os.listdir(tmp_path) == []


def without_layers(seconds: float = 8) -> launch.Setting:
    """The level `none` on a kernel that has neither Landlock nor seccomp."""
    return launch.Setting(launch.UNSAFE, (2, 512 << 20, 1 << 20, 1 << 16), seconds, without=("landlock", "seccomp"))


@pytest.mark.skipif(os.getuid() == 0, reason="root is not held by a limit on processes")
def test_strays_are_ended_where_nothing_forbids_to_fork():
    fork = "import os, time\nif os.fork() == 0: time.sleep(60)"
    with pool.Crew(without_layers(), 1) as crew:
        list(crew.work([(0, ("blocks", [fork]))]))
        assert len(children()) == 2


def test_the_probes_get_through_where_nothing_stops_them():
    with probe.planted() as marks, pool.Crew(without_layers(), 1) as crew:
        jobs = [(name, ("blocks", [code.format(**marks)])) for name, code in probe.ATTEMPTS.items()]
        open_ones = {name for name, answer in crew.work(jobs) if not probe.held_back(answer)}
    assert open_ones >= set(probe.ATTEMPTS) - {"privileges", "processes"}  # these two the system itself may refuse
    assert set(probe.MEANING) == set(probe.ATTEMPTS)


def test_where_no_level_holds_nothing_runs_unless_that_is_accepted(monkeypatch):
    works = probe.probe_level
    monkeypatch.setattr(probe, "probe_level", lambda level: works(level) if level == launch.UNSAFE else None)
    monkeypatch.setattr(run, "proven", probe.probe.__wrapped__)
    program = Program("t", 0, SQUARE, "def check(c): assert c(2) == 4", "f", True)
    with pytest.raises(InfrastructureError, match=r"install bubblewrap .* --unsafe-exec"):
        judge(ONE, [program])
    with pytest.raises(InfrastructureError, match="'landlock' does not hold"):
        judge(ONE.model_copy(update={"level": "landlock"}), [program])
    unsafe = ONE.model_copy(update={"unsafe": True})
    assert judge(unsafe, [program])[0].status == "passed"
    assert run.probe(unsafe).level == "none"


def test_a_refusal_is_one_line_and_status_1(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(probe, "probe_level", {}.get)
    monkeypatch.setattr(sys, "argv", ["hornbook", "write", "exercises", "-n", "5", "--out", str(tmp_path / "out")])
    probe.probe.cache_clear()
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("hornbook: no isolation holds on this machine, and programs are not run without it: install")


def test_a_level_with_a_broken_promise_does_not_count(monkeypatch):
    leaky = probe.Isolation("bubblewrap", {"network": True, "files": False})
    sound = probe.Isolation("landlock", {"network": True, "files": True})
    monkeypatch.setattr(probe, "probe_level", {"bubblewrap": leaky, "landlock": sound}.get)
    assert probe.probe.__wrapped__() == sound
    with pytest.raises(InfrastructureError, match="'bubblewrap' does not hold"):
        probe.probe.__wrapped__("bubblewrap")


def test_no_isolation_must_be_asked_for_twice():
    with pytest.raises(RequestError, match="--unsafe-exec"):
        run.probe(Sandbox(level="none"))
    assert Sandbox(unsafe=True).semantic() == {}


@pytest.mark.parametrize("milliseconds", [0, 3, 10, 30])
def test_a_pair_stopped_while_it_starts_leaves_nothing(milliseconds):
    level = probe.probe().level
    mark = 300_000_000 + os.getpid() * 100 + milliseconds  # a memory limit that no other process was started with
    for _ in range(3):
        pair = launch.start(launch.Setting(level, (2, mark, 1 << 20, 1 << 16), 8))
        time.sleep(milliseconds / 1000)
        pair.stop()
    assert wait_for(
        lambda: not [p for p in psutil.process_iter(["cmdline"]) if str(mark) in " ".join(p.info["cmdline"] or [])]
    )


def test_an_error_in_the_callback_cleans_up():
    before = children()

    def interrupt(verdict: Verdict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(ONE, [Program("t", 0, SQUARE, "def check(c): pass", "f", True)], interrupt)
    assert children() == before


def test_what_a_probe_attacks_ends_with_its_parent():
    code = "from hornbook.sandbox.probe import victim\nwith victim() as pid: print(pid, flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as parent:
        attacked = psutil.Process(int(parent.stdout.readline()))
        assert attacked.is_running()
        parent.kill()
    assert wait_for(lambda: not attacked.is_running() or attacked.status() == "zombie")


def test_a_killed_parent_takes_everything_with_it():
    code = (
        "from hornbook.sandbox.run import *\n"
        "judge(Sandbox(workers=1), [Program('t', 0, 'import time\\ndef f(): time.sleep(60)', 'def check(c): c()', 'f', True)])"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        family = wait_for(
            lambda: (kids := psutil.Process(process.pid).children(recursive=True)) and len(kids) >= 3 and kids
        )
    finally:
        process.kill()
        process.wait()
    assert family
    assert wait_for(lambda: not any(p.is_running() and p.status() != "zombie" for p in family))


def wait_for(condition):
    end = time.monotonic() + 15
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    return None


def test_a_dead_worker_is_replaced_and_only_a_second_death_counts(monkeypatch):
    started = []

    def start(setting):
        pair = launch.start(setting)
        started.append(pair)
        if len(started) <= deaths:
            pair.worker.kill()
        return pair

    monkeypatch.setattr(pool, "start", start)
    program = Program("t", 0, SQUARE, "def check(c): assert c(2) == 4", "f", True)
    deaths = 1
    assert judge(ONE, [program])[0].status == "passed"
    deaths = 2
    started.clear()
    assert judge(ONE, [program])[0].status == "infrastructure"
    started.clear()
    with pytest.raises(InfrastructureError, match="died twice"):
        execute(ONE, ["x = 1"])


def test_a_dead_fork_server_is_replaced(monkeypatch):
    started = []

    def start(setting):
        pair = launch.start(setting)
        started.append(pair)
        if len(started) == 1:
            assert "seccomp" in launch.layers(pair)
            pair.zygote.kill()
        return pair

    monkeypatch.setattr(pool, "start", start)
    assert judge(ONE, [Program("t", 0, SQUARE, "def check(c): assert c(2) == 4", "f", True)])[0].status == "passed"
    assert len(started) == 2


def test_trusted_tests_that_loop_on_an_answer_are_timeouts(monkeypatch):
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0.5)
    program = Program(
        "t",
        0,
        "def f(): return 1\n",
        "def check(c):\n    while c.__name__ or True: break\n    while True: pass\n",
        "f",
        True,
    )
    verdicts = judge(Sandbox(workers=1, wall_seconds=0.5), [program])
    assert [(v.status, v.detail) for v in verdicts] == [("timeout", "the tests ran out of wall time")]


def test_probe_reports_every_level(monkeypatch):
    found = probe.probe()
    assert found.level in launch.LEVELS
    assert set(found.probes) == set(probe.ATTEMPTS)
    assert run.probe() == found
    weakest = probe.probe_level(launch.UNSAFE)
    assert weakest is not None
    assert "install bubblewrap" in weakest.advice


def test_without_bubblewrap_the_next_level_is_used(monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    for path in (str(tmp_path), str(tmp_path / "nowhere")):  # there but broken; not there at all
        monkeypatch.setenv("PATH", path)
        found = probe.probe.__wrapped__(unsafe=True)
        assert found.level == ("namespaces" if probe.probe_level("namespaces") else "landlock")
        assert all(found.probes.values())


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become somebody else")
def test_works_without_root():
    if not os.access("/", os.X_OK) or any(
        not (parent.stat().st_mode & 1) for parent in Path(sys.executable).resolve().parents
    ):
        pytest.skip("the interpreter lies where only root may look")
    code = "from hornbook.sandbox.run import *; print(probe().level, execute(Sandbox(), ['print(1)']))"
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "stdout='1\\n'" in done.stdout, done.stderr


@pytest.mark.parametrize("module", [run, codec], ids=["run", "codec"])
def test_examples_in_the_documentation(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_the_inside_needs_nothing_but_the_standard_library():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import bare.worker, bare.zygote"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(launch.BARE.parent)], check=True)
