"""Lists what every rule matches, with Suzaku: suzaku_filters.py SUZAKU DATA RULES THREADS.

RULES is a folder of made-up rules, which are written anew as Sigma, or any folder of Sigma rules.
"""

import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import made_up

# Suzaku looks for the columns of its timeline here, below the folder it is started in. Few of them are few to write.
PROFILE = "config/aws_profile.yaml"
COLUMNS = ["Timestamp: '.eventTime'", "RuleTitle: 'sigma.title'", "Level: 'sigma.level'", "EventID: '.eventID'"]

suzaku, data, rules, threads = sys.argv[1:]
with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch)
    profile = folder / PROFILE
    profile.parent.mkdir()
    profile.write_text("\n".join(COLUMNS) + "\n")
    if made_up.is_made_up(rules):
        sigma = folder / "rules"
        sigma.mkdir()
        for rule in made_up.load(rules):
            (sigma / f"{rule['number']:04}.yml").write_text(made_up.sigma(rule))
    else:
        sigma = Path(rules)
    timeline = folder / "timeline.csv"
    command = [suzaku, "aws-ct-timeline", "-d", data, "-r", str(sigma), "-o", str(timeline), "-C", "-q", "-K"]
    command += ["--threads", threads]
    report = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    # Without colours it still writes the codes that end them. It ends well, too, when it could not begin; then it
    # has not counted events.
    plain = re.sub(r"\x1b\[[\d;]*m", "", report)
    total = re.search(r"Total events: [\d,]+ / ([\d,]+)", plain)
    if total is None:
        sys.exit(f"Suzaku did not scan:\n{plain}")
    matches = 0
    if timeline.exists():
        with timeline.open(newline="") as lines:
            matches = sum(1 for _ in csv.DictReader(lines))
print(total[1].replace(",", ""), matches)
