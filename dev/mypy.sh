#!/bin/sh
# Types: what is checked, and how strictly, stands in pyproject.toml. Files as arguments: these only.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/mypy "$@"
[ $# -eq 0 ] || exit 0
# What runs in pods has to fit the Python of other people's images.
.venv/bin/mypy --python-version 3.10 collections/ansible_collections/ai_platform/agent/plugins/module_utils/_in_pod chart/files
