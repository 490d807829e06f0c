"""Imports what runs inside the chart's pods, which lies outside every Python package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "chart" / "files"))
