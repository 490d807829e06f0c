"""How long Helm takes to render the chart, in seconds per environment.

`.venv/bin/python benchmarks/chart_render.py [--rounds 10]`. The goal is 0.15 s at most.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from lab.paths import BIN, ROOT

GOAL = 0.15
ENVIRONMENTS = ("dev", "staging", "prod")


def seconds(helm: str, chart: Path, environment: str) -> tuple[float, float]:
    """Return what one rendering takes, the start of Helm included: by the clock, and of a CPU."""
    words = [helm, "template", "my-agent", str(chart), "-f", str(chart / f"values-{environment}.yaml")]
    # Without a cluster to look into nothing is generated otherwise.
    words += ["--set", "secrets.generate=always"]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print the figures; return 1 where the median of one misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="renderings per environment")
    parser.add_argument("--helm", default=str(BIN / "helm"), help="the helm program")
    options = parser.parse_args()
    late = False
    with tempfile.TemporaryDirectory() as cache:
        chart = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=Path(cache)).path
        print(f"seconds, median of {options.rounds} rounds; the goal is {GOAL} by the clock on a machine at rest")
        print(f"{'environment':12} {'clock':>7} {'fastest':>8} {'CPU':>7}")
        for environment in ENVIRONMENTS:
            rounds = [seconds(options.helm, chart, environment) for _ in range(options.rounds)]
            clock, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
            late |= clock > GOAL
            print(f"{environment:12} {clock:7.3f} {min(rounds)[0]:8.3f} {cpu:7.3f}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
