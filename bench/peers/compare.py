"""Runs Trailwarden and its peers in turns and prints what each took. Called by `run`."""

import argparse
import gzip
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import made_up

HERE = Path(__file__).parent
LINE_FILES = 16
NOW = "2026-06-01T00:00:00Z"


def measure(command):
    """Wall time, processor time, most memory in MiB, and what the process printed."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    wall = time.monotonic() - started
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output


def lines(data, folder):
    """The same records, one a line in few files: databases are several times slower with many small arrays."""
    if folder.exists():
        return folder
    partial = folder.with_name(f"{folder.name}-{os.getpid()}")
    partial.mkdir(parents=True)
    outs = [gzip.open(partial / f"{number:02}.ndjson.gz", "wt", compresslevel=6) for number in range(LINE_FILES)]
    for number, path in enumerate(sorted(Path(data).rglob("*.json.gz"))):
        with gzip.open(path) as file:
            for record in json.load(file)["Records"]:
                outs[number % LINE_FILES].write(json.dumps(record, separators=(",", ":")) + "\n")
    for out in outs:
        out.close()
    return partial.rename(folder)


def hunt(options):
    """A hunt but for its rules and data."""
    threads = str(options.threads)
    return [options.trailwarden, "hunt", "--quiet", "--format=ndjson", "--now", NOW, "--threads", threads]


def peers(options, scratch):
    """The commands to measure by name, and what is missing."""
    data, rules, threads = options.data, options.rules_folder, str(options.threads)
    name = "lines-" + data.strip("/").replace("/", "-")
    as_lines = str(lines(data, Path(rules).parent.parent / name))
    commands = {"trailwarden": [*hunt(options), "--rules", rules, data]}
    missing = []
    for module in ["duckdb", "chdb"]:
        if importlib.util.find_spec(module):
            commands[module] = [sys.executable, str(HERE / f"{module}_filters.py"), as_lines, rules, threads]
        else:
            missing.append(f"{module}: pip install {module}")
    if Path(options.rsigma).exists():
        sigma = scratch / "rules.yml"
        sigma.write_text("---\n".join(made_up.sigma(rule) for rule in made_up.load(rules)))
        commands["rsigma"] = [options.rsigma, str(sigma), data, threads]
    else:
        missing.append("rsigma: it could not be built")
    suzaku = shutil.which(options.suzaku)
    if suzaku:
        script = [sys.executable, str(HERE / "suzaku_filters.py"), str(Path(suzaku).resolve()), data]
        commands["suzaku"] = [*script, rules, threads]
        if options.suzaku_rules:
            commands["suzaku, own"] = [*script, str(Path(options.suzaku_rules).resolve()), threads]
    else:
        missing.append("suzaku: put it on the PATH, or name it with --suzaku")
    return commands, missing


def node(options, url):
    """What a node takes for a part of the records, once they are indexed, in turns with a hunt through their files."""
    files = sorted(str(path) for path in Path(options.data).rglob("*.json.gz"))[: options.node_files]
    normalize = subprocess.Popen(
        [options.trailwarden, "normalize", "--quiet", "--now", NOW, *files], stdout=subprocess.PIPE
    )
    script = [sys.executable, str(HERE / "node_filters.py")]
    indexed = subprocess.run([*script, "index", url], stdin=normalize.stdout, stdout=subprocess.PIPE, check=True)
    if normalize.wait() != 0:
        raise RuntimeError("the records could not be normalised")
    records, _, wall, cpu = indexed.stdout.decode().split()
    print(f"\nnode at {url}, {int(records):,} records, {options.rules} rules, {options.repetitions} repetitions")
    print(f"normalise and index, once: {wall} s, {cpu} s of the node's processor time")
    ours, theirs = [], []
    for turn in range(options.repetitions + 1):
        wall_ours, cpu_ours, _, output = measure([*hunt(options), "--rules", options.rules_folder, *files])
        answer = subprocess.run([*script, "search", url, options.rules_folder], stdout=subprocess.PIPE, check=True)
        _, matches, wall, cpu = answer.stdout.decode().split()
        # In the first turn the node's code is not compiled yet.
        if turn > 0:
            ours.append((wall_ours, cpu_ours))
            theirs.append((float(wall), float(cpu)))
    wall_ours, cpu_ours = (statistics.median(it[at] for it in ours) for at in (0, 1))
    wall, cpu = (statistics.median(it[at] for it in theirs) for at in (0, 1))
    print(f"trailwarden, from the files: {wall_ours:.2f} s, {cpu_ours:.2f} cpu s, {len(output.splitlines())} alerts")
    print(
        f"the node, from its index: {wall:.2f} s ({wall / wall_ours:.2f} ×), {cpu:.2f} cpu s ({cpu / cpu_ours:.2f} ×), "
        f"{matches} matches"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--rules", type=int, default=100, help="how many rules")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--node", action="append", help="URL of an Elasticsearch or OpenSearch node for tests")
    parser.add_argument("--node-files", type=int, default=200, help="how many of the files to index there")
    parser.add_argument("--suzaku", default="suzaku", help="the executable, if it is not on the PATH")
    parser.add_argument("--suzaku-rules", help="a folder of Sigma rules to measure Suzaku with, too")
    parser.add_argument("--rules-folder", required=True)
    parser.add_argument("--trailwarden", required=True)
    parser.add_argument("--rsigma", required=True)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        commands, missing = peers(options, Path(scratch))
        samples = {name: [] for name in commands}
        for turn in range(options.repetitions + 1):
            for name, command in commands.items():
                sample = measure(command)
                # The first turn reads the files from the disk.
                if turn > 0:
                    samples[name].append(sample)
    records = next((int(its[0][3].split()[0]) for name, its in samples.items() if name != "trailwarden"), 0)
    ours = samples["trailwarden"]
    wall_ours = statistics.median(it[0] for it in ours)
    cpu_ours = statistics.median(it[1] for it in ours)
    print(f"{records:,} records, {options.rules} rules, {options.threads} threads, {options.repetitions} repetitions")
    print(f"{'':<12} {'wall s':>8} {'cpu s':>8} {'records/s':>12} {'per cpu s':>12} {'MiB':>8} {'wall ×':>7} {'cpu ×':>7}  result")
    for name, its in samples.items():
        wall, cpu, memory = (statistics.median(it[at] for it in its) for at in range(3))
        output = its[0][3]
        if name == "trailwarden":
            result = f"{len(output.splitlines())} alerts"
        else:
            result = f"{output.split()[1].decode()} matches"
        rate, rate_cpu = (f"{records / it:,.0f}" if records else "?" for it in (wall, cpu))
        print(
            f"{name:<12} {wall:>8.2f} {cpu:>8.2f} {rate:>12} {rate_cpu:>12} {memory:>8,.0f} "
            f"{wall / wall_ours:>7.2f} {cpu / cpu_ours:>7.2f}  {result}"
        )
    for url in options.node or []:
        node(options, url)
    if not options.node:
        missing.append("Elasticsearch or OpenSearch: name a node with --node URL")
    for text in missing:
        print(f"NOT MEASURED {text}")


main()
