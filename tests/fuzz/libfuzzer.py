"""Runs the fuzz targets: what `replay` and `campaign` share."""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
# A single input that takes so long is a finding. Far above what any takes, even on a machine that is busy.
PATIENCE_S = 120


def targets():
    """Their names, in order."""
    return sorted(source.stem.removeprefix("fuzz_") for source in HERE.glob("fuzz_*.c"))


def kept(target):
    """The inputs in the repository: what a target begins with, and what once found something."""
    return sorted(path for kind in ("seeds", "found") for path in (HERE / kind / target).glob("*") if path.is_file())


def folders(target):
    return [folder for kind in ("seeds", "found") if (folder := HERE / kind / target).is_dir()]


def dictionary(target):
    path = HERE / "dictionaries" / target
    return [f"-dict={path}"] if path.exists() else []


def environment():
    """The same on every machine: local time and locale are part of what some targets print."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "TZ": "UTC",
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def run(program, *arguments, limit_s=None):
    """(exit status, what it said); status None when it had to be stopped."""
    try:
        done = subprocess.run(
            [str(program), f"-timeout={PATIENCE_S}", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=TOP,
            timeout=limit_s,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as stopped:
        return None, (stopped.stdout or b"").decode(errors="replace")


def cause(said):
    """The line that says what was wrong."""
    for pattern in (r"^.*: broken: .*$", r"^.*runtime error: .*$", r"^.*ERROR: .*$", r"^SUMMARY: .*$"):
        found = re.search(pattern, said, re.MULTILINE)
        if found:
            return found.group(0).strip()
    return "ended in failure"


def statistic(said, name):
    found = re.search(rf"^stat::{name}:\s+(\d+)", said, re.MULTILINE)
    return int(found.group(1)) if found else 0


def missing():
    """Why no target can be built here, or None."""
    compiler = os.environ.get("FUZZ_CC", "clang")
    source = "int LLVMFuzzerTestOneInput(const unsigned char *b, unsigned long n) { return b && n ? 0 : 0; }\n"
    try:
        subprocess.run(
            [compiler, "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", "/dev/null"],
            input=source.encode(),
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        return f"{compiler} is not installed"
    except subprocess.CalledProcessError:
        return f"{compiler} comes without libFuzzer (Debian: libclang-rt-dev, Fedora: compiler-rt)"
    return None


def build(folder, goal):
    """Makes the targets; ends the program, with what make said, when that fails."""
    made = subprocess.run(
        ["make", f"-j{os.cpu_count()}", f"BUILD={folder}", goal], cwd=TOP, capture_output=True, check=False
    )
    if made.returncode != 0:
        print(f"not ok fuzz: building the targets: make {goal} failed")
        sys.stdout.write((made.stdout + made.stderr).decode(errors="replace")[-8000:])
        sys.exit(1)
