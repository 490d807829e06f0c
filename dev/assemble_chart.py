"""Write the assembled chart to build/ai-agent-chart/, where plain `helm` commands run."""

from __future__ import annotations

import argparse
import sys

from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import (
    CHOICES,
    ChartError,
    assemble,
    export,
)

from lab.paths import BIN, ROOT

TARGET = ROOT / "build" / "ai-agent-chart"


def main() -> int:
    """Assemble, export, say what was made; return the exit code."""
    parser = argparse.ArgumentParser(prog="assemble_chart", description=__doc__)
    parser.add_argument("--subcharts", choices=CHOICES, default="embedded", help="where the subcharts come from")
    options = parser.parse_args()
    helm = BIN / "helm"
    try:
        assembled = assemble(
            ROOT / "chart",
            options.subcharts,
            subcharts_dir=ROOT / "subcharts",
            helm=str(helm) if helm.exists() else "helm",
        )
        export(assembled, TARGET)
    except ChartError as error:
        print(error, file=sys.stderr)
        return 1
    inside = ", ".join(f"{name} {version}" for name, version in assembled.subcharts.items())
    print(f"{TARGET.relative_to(ROOT)}: ai-agent {assembled.version} with {inside} ({options.subcharts})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
