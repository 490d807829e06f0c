"""The agent's package, found where its image is built from."""

from __future__ import annotations

import sys
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[4] / "images" / "agent"
sys.path.insert(0, str(IMAGE))
