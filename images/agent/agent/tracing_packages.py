"""Whether this image can send traces: apart from what does, for env.py reads the settings where no server runs."""

from __future__ import annotations

import importlib.util
import sys


def available(folder: str) -> bool:
    """Whether the SDK is here: among the packages, or in the folder where the image keeps it from everybody else."""
    if folder and folder not in sys.path:
        sys.path.append(folder)
    return importlib.util.find_spec("opentelemetry.sdk") is not None
