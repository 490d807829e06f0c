"""Records what the probe says in each situation: python -m tests.integration.connectivity.record [situation …]"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, "collections")

from tests.integration.connectivity.observe import facts
from tests.integration.connectivity.situations import SITUATIONS, Stage

FOLDER = Path(__file__).resolve().parents[2] / "unit" / "plugins" / "module_utils" / "_connectivity" / "facts"
MAJOR = 18


def main() -> None:
    """Write a file for each situation, or for those that the arguments name."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        stage = Stage(Path(name), MAJOR)
        try:
            for wanted in sys.argv[1:] or SITUATIONS:
                found = facts(wanted, stage)
                observation = found["observations"][0]
                lines = ",\n".join(json.dumps(record) for record in observation["records"])
                head = json.dumps({key: value for key, value in observation.items() if key != "records"})[:-1]
                text = f'{{"observations": [{head}, "records": [\n{lines}\n]}}], "release": null, "untested": []}}\n'
                (FOLDER / f"{wanted}.json").write_text(text)
                print(wanted)
        finally:
            stage.close()


if __name__ == "__main__":
    main()
