"""The reference agent: a small AI agent service that shows what the chart expects of an image."""

import os

__version__ = os.environ.get("APP_VERSION", "1.0.0")
