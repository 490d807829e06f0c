"""A container of the rendered chart as a process of this machine: its command, arguments, variables and files."""

from __future__ import annotations

import base64
import os
import re
import shutil
import typing as t
from pathlib import Path

from tests.integration.contract.conftest import Process

# Where the chart mounts a volume that can be written; the images' own working directory.
TEMPORARY: t.Final = "/tmp"  # noqa: S108
Object = dict[str, t.Any]


def process(objects: list[Object], pod: Object, folder: Path, python: Path) -> Process:
    """The first container of a pod, as the node would start it.

    :param objects: of the rendering, and Secrets beside it
    :param folder: where its volumes are laid out
    :param python: the interpreter of its image
    """
    data = {(item["kind"], item["metadata"]["name"]): _data(item) for item in objects if "kind" in item}
    container = pod["spec"]["containers"][0]
    env = _environment(container, data)
    places = _volumes(pod["spec"], container, data, folder)
    mounted = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))

    def placed(text: str) -> str:
        # In one go: the folders themselves lie below /tmp.
        return re.sub(rf"(?<![\w.-])(?:{mounted})(?=/|$)", lambda found: str(places[found[0]]), text)

    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    words = [placed(_expanded(word, env)) for word in words]
    env = {name: placed(value) for name, value in env.items()}
    # The interpreter writes nothing into an environment that tests share, as on a root file system that is read-only.
    image = {"PATH": f"{python.parent}{os.pathsep}{os.defpath}", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    place = Path(placed(container.get("workingDir") or TEMPORARY))
    image |= {"TMPDIR": placed(TEMPORARY), "HOME": placed(TEMPORARY)}
    return Process([shutil.which(words[0], path=image["PATH"]) or words[0], *words[1:]], image | env, place)


def _expanded(word: str, env: dict[str, str]) -> str:
    """As the kubelet does it: $(NAME) is a variable where there is one, and two dollar signs are one."""
    return re.sub(r"\$(?:\$|\((\w+)\))", lambda found: env.get(found[1], found[0]) if found[1] else "$", word)


def _data(item: Object) -> dict[str, str]:
    given = {key: str(value) for key, value in (item.get("stringData") or {}).items()}
    if item["kind"] == "Secret":
        return given | {key: base64.b64decode(value).decode() for key, value in (item.get("data") or {}).items()}
    return given | (item.get("data") or {})


def _environment(container: Object, data: dict[tuple[str, str], dict[str, str]]) -> dict[str, str]:
    env: dict[str, str] = {}
    kinds = {"secret": "Secret", "configMap": "ConfigMap"}
    for source in container.get("envFrom") or ():
        for key, kind in kinds.items():
            if f"{key}Ref" in source:
                env |= data[kind, source[f"{key}Ref"]["name"]]
    for item in container.get("env") or ():
        source = item.get("valueFrom") or {}
        if "value" in item or not source:
            env[item["name"]] = str(item.get("value") or "")
        for key, kind in kinds.items():
            if f"{key}KeyRef" in source:
                found = data[kind, source[f"{key}KeyRef"]["name"]]
                env[item["name"]] = found[source[f"{key}KeyRef"]["key"]]
    return env


def _volumes(
    spec: Object, container: Object, data: dict[tuple[str, str], dict[str, str]], folder: Path
) -> dict[str, Path]:
    """Folders by the path under which the container sees them."""
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or ()}
    places = {}
    for mount in container.get("volumeMounts") or ():
        place = folder / mount["name"]
        place.mkdir(parents=True, exist_ok=True)
        places[mount["mountPath"]] = place
        if named := (volumes[mount["name"]].get("configMap") or {}).get("name"):
            for name, text in data["ConfigMap", named].items():
                (place / name).write_text(text)
    return places
