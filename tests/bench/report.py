"""What the benchmark leaves behind: a text table, bench.json, and the picture."""

import json
import os
import platform
import subprocess
import time

import growth_picture

WIDTH = 76


def number(value):
    """Three figures that count, without an exponent."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.5f}"


def met(row):
    return "" if row.met is None else "met" if row.met else "MISSED"


def headline(quick):
    if quick:
        return f"{'row':<{WIDTH}} {'ratio':>9}  goal"
    return f"{'row':<{WIDTH}} {'ours':>9} {'p99':>9} {'peer':>9} {'p99':>9} {'unit':<13} {'ratio':>9}  goal"


def line(row, quick=False):
    if row.why:
        return f"{row.row:<{WIDTH}} skipped: {row.why}"
    end = f"{number(row.ratio):>9}  " + (f"{row.goal}: {met(row)}" if row.goal else "")
    if quick:
        return f"{row.row:<{WIDTH}} {end}".rstrip()
    return (
        f"{row.row:<{WIDTH}} {number(row.ours):>9} {number(row.ours_p99):>9} {number(row.peer):>9} {number(row.peer_p99):>9}"
        f" {row.unit:<13} {end}"
    ).rstrip()


def as_json(rows):
    """A row that was skipped has no figures and no verdict."""
    names = ("row", "ours", "peer", "unit", "ratio", "goal", "met")
    return json.dumps({"rows": [{name: getattr(row, name) for name in names} for row in rows]}, indent=1, ensure_ascii=False) + "\n"


def machine():
    """In one line: when, and on what."""
    with open("/proc/cpuinfo") as cpus:
        model = next((line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name")), platform.machine())
    with open("/etc/os-release") as release:
        names = [line.split("=", 1)[1].strip().strip('"') for line in release if line.startswith("PRETTY_NAME=")]
    system = names[0] if names else "Linux"
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"{now} UTC, {system}, {os.cpu_count()} x {model}, Linux {platform.release()}"


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "no checkout"


def write(folder, rows, points, quick, tell=print):
    command = "make bench QUICK=1" if quick else "make bench"
    notes = [f"{command}, {commit()}, {machine()}", "Medians and 99th percentiles; the ratio is the median of the pairs' ratios."]
    text = [*notes, "", headline(quick), *[line(row, quick) for row in rows]]
    with open(os.path.join(folder, "bench.txt"), "w") as file:
        file.write("\n".join(text) + "\n")
    with open(os.path.join(folder, "bench.json"), "w") as file:
        file.write(as_json(rows))
    with open(os.path.join(folder, "bench.svg"), "w") as file:
        file.write(growth_picture.draw(points))
    missed = sum(row.met is False for row in rows)
    skipped = sum(row.why is not None for row in rows)
    tell(f"{len(rows)} rows, {sum(row.met is True for row in rows)} goals met, {missed} missed, {skipped} skipped")
    tell(f"{folder}/bench.txt, bench.json, bench.svg")
