"""What awx.awx's modules take, as a JSON schema for the objects in extensions/awx; derived from their documentation.

    python -m dev.awx_schema       # writes tests/unit/extensions/awx_awx.json

The collection left the package `ansible` with version 13, so it is read out of the last one that has it.
"""

from __future__ import annotations

import ast
import json
import shutil
import sys
import typing as t
import zipfile
from pathlib import Path

import yaml

from lab import shell
from lab.cache import cached
from lab.paths import ROOT

PACKAGE = "ansible==12.3.0"
TARGET = ROOT / "tests" / "unit" / "extensions" / "awx_awx.json"
MODULES = (
    *("credential", "credential_type", "execution_environment", "inventory", "inventory_source", "job_template"),
    *("organization", "project", "schedule", "workflow_job_template", "workflow_job_template_node"),
)
TYPES = {
    "str": {"type": "string"},
    "path": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "dict": {"type": "object"},
}
Json = dict[str, t.Any]


def collections() -> Path:
    """A folder with awx.awx in ``ansible_collections``, kept in the user's cache.

    :raises LabError: PyPI cannot be reached
    """

    def build(folder: Path) -> None:
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder / "wheel", PACKAGE]
        shell.run(words, log="environments", what=f"fetching {PACKAGE} from PyPI")
        with zipfile.ZipFile(next((folder / "wheel").glob("*.whl"))) as wheel:
            names = [name for name in wheel.namelist() if name.startswith("ansible_collections/awx/awx/")]
            wheel.extractall(folder, names)
        shutil.rmtree(folder / "wheel")

    return cached("awx", PACKAGE.partition("==")[2], build)


def documentation(module: Path) -> Json:
    """What a module's DOCUMENTATION says, without importing it."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return t.cast("Json", yaml.safe_load(ast.literal_eval(node.value)))
    raise ValueError(f"{module} has no DOCUMENTATION")


def _options(options: Json) -> Json:
    properties, required = {}, []
    for name, option in options.items():
        kind = option.get("type", "str")
        if kind == "list":
            # awx.awx documents the parts of a workflow's nodes one level down.
            schema: Json = {"type": "array", "items": dict(TYPES.get(option.get("elements", "str"), {}))}
        else:
            schema = dict(TYPES[kind])
        if "choices" in option:
            schema["enum"] = list(option["choices"])
        for each in (name, *option.get("aliases", ())):
            properties[each] = schema
        required += [name] if option.get("required") else []
    return {"type": "object", "properties": properties, "required": sorted(required), "additionalProperties": False}


def schema() -> Json:
    """By module."""
    folder = collections() / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    return {name: _options(documentation(folder / f"{name}.py")["options"]) for name in MODULES}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(schema(), indent=1, sort_keys=True) + "\n")
    print(f"{TARGET.relative_to(ROOT)}: {len(MODULES)} modules of awx.awx in {PACKAGE}")
