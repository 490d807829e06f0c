"""The developer's tools: the test runner, servers, chart linters, a browser, generators."""

import sys
from pathlib import Path

# The checkout is the collection, through a link in collections/; some tools use its code.
sys.path.append(str(Path(__file__).resolve().parent.parent / "collections"))
