"""Steps that do not depend on each other, run side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

from lab import shell
from lab.progress import Progress

WORKERS = 4


@dataclass(frozen=True)
class Step:
    """One step: what a person reads of it, what it does, and which steps (by name) must have ended before."""

    name: str
    title: str
    action: Callable[[], object]
    needs: tuple[str, ...] = ()


def run(steps: Sequence[Step], progress: Progress) -> None:
    """Run all *steps*, each as soon as those it needs are done.

    The first failure ends the run: nothing new is started, and the programs of the other steps are stopped.

    :raises graphlib.CycleError: the steps need each other
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({step.name: step.needs for step in steps})
    order.prepare()
    running: dict[Future[None], str] = {}

    def work(step: Step) -> None:
        with progress.step(step.title, step.name):
            step.action()

    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            while order.is_active():
                for name in order.get_ready():
                    running[pool.submit(work, by_name[name])] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    future.result()
                    order.done(name)
        except BaseException:
            for future in running:
                future.cancel()
            shell.stop_all()
            raise
