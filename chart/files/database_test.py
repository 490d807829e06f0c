"""The connection test of an agent without a cache: connection_test.py's question about the database alone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import connection_test


def main() -> int:
    """Probe the database and return the exit code, 0 or 1."""
    print("Testing PostgreSQL connection...", flush=True)
    if problem := connection_test.probe("PostgreSQL", "postgresql", "DATABASE_URL"):
        print(problem, file=sys.stderr, flush=True)
        return 1
    print("PostgreSQL connection successful!", flush=True)
    print("All connectivity tests passed!", flush=True)
    return 0


if __name__ == "__main__":
    importlib.import_module("connection_probe.probe").run(main)
