"""Which pending revisions count where a branch is judged: what it changed, what depends on it, what comes after."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.git_changes import Changed
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.only_changed import narrowed
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

from tests.unit.plugins.module_utils._in_pod.project import ENV, Project

FOUND = [
    finding("table-rewrite", "It rewrites.", revision="0002"),
    finding("rename", "It renames.", revision="0003"),
    finding("backup-old", "Somebody is at work."),
]
READ = "from pathlib import Path\nHERE = Path(__file__).parent\n"


class Service:
    """A repository with an Alembic folder in it, and two pending revisions."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.project = Project(top / "service").add("0001", None).add("0002", "0001").add("0003", "0002", "SELECT 1")

    def write(self, name: str, text: str = "") -> Service:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    def second(self, *lines: str, module: str = "") -> Service:
        """0002 with this body."""
        body = "\n".join(f"    {line}" for line in lines)
        self.project.add("0002", "0001", body=body)
        path = self.project.versions / "0002.py"
        path.write_text(path.read_text().replace("from alembic import", f"{module}\nfrom alembic import", 1))
        return self

    def env(self, *lines: str) -> Service:
        (self.project.folder / "migrations/env.py").write_text("\n".join([*lines, ENV]))
        return self

    def left(self, *changed: str, renamed: dict[str, str] | None = None) -> list[Finding]:
        """What is left of the findings after these files were changed."""
        folder = self.project.folder
        with AlembicProcess(folder / "alembic.ini", "heads", 600, folder=folder, reads=self.top) as alembic:
            alembic.graph()
            rendered: Rendered = alembic.render(["0001"])
        unknown = frozenset(item.revision for item in rendered.segments if item.error or item.inspects)
        files = frozenset(self.top / name for name in changed)
        moved = {self.top / old: self.top / new for old, new in (renamed or {}).items()}
        given = Changed("since main", files | frozenset(path.resolve() for path in files), self.top, moved)
        return narrowed(FOUND, rendered, unknown=unknown, folder=folder, configuration="alembic.ini", changed=given)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path.resolve())


MINE = "service/migrations/versions/0003.py"
PATH = "import sys; sys.path.insert(0, str(HERE.parents[2]))"


def test_findings_of_what_is_not_changed_are_left_out_and_named(service: Service) -> None:
    service.write("service/pyproject.toml", "[project]\nname = 'service'\n")
    notes = "service/migrations/versions/README.md"
    found = service.left(MINE, "service/app/models.py", notes, "service/pyproject.toml")
    assert [item.id for item in found] == ["rename", "backup-old", "revisions-not-changed"]
    assert found[-1].message == (
        "1 pending revision is not changed since main (0002); what was found there counts for no verdict here"
        " (table-rewrite)."
    )
    assert found[-1].severity == "info"


def test_without_a_changed_revision_what_concerns_all_is_left(service: Service) -> None:
    assert [item.id for item in service.left()] == ["backup-old", "revisions-not-changed"]


def test_what_runs_after_a_changed_revision_meets_another_schema(service: Service) -> None:
    assert service.left("service/migrations/versions/0002.py") == FOUND


def test_all_changed(service: Service) -> None:
    assert service.left(MINE, "service/migrations/versions/0002.py") == FOUND


@pytest.mark.parametrize(
    "shared",
    [
        "service/alembic.ini",
        "service/migrations/env.py",
        "service/migrations/versions/helper.py",
        "service/migrations/data.sql",
        "service/migrations/sql/r1.sql",
        "service/migrations/lib/deep/er/helper.py",
        "service/migrations/versions/2026/data.csv",
        # A submodule, or a repository that nobody has added: git says nothing of what is in it.
        "service/migrations/lib",
        "service",
    ],
)
def test_a_file_that_every_revision_may_depend_on(service: Service, shared: str) -> None:
    assert service.left(MINE, shared) == FOUND


def test_a_link_below_the_script_folder_leads_to_what_counts(service: Service) -> None:
    service.write("shared/sql/r1.sql")
    (service.project.folder / "migrations/sql").symlink_to(service.top / "shared/sql", target_is_directory=True)
    assert service.left(MINE, "shared/sql/r1.sql") == FOUND
    assert service.left(MINE, "shared/other.sql") != FOUND


def test_what_alembic_takes_from_pyproject(service: Service) -> None:
    service.write("service/pyproject.toml", "[project]\nname = 'service'\n")
    assert service.left(MINE, "service/pyproject.toml") != FOUND
    service.write("service/pyproject.toml", "[tool.alembic]\nfile_template = 'x'\n")
    assert service.left(MINE, "service/pyproject.toml") == FOUND


def test_another_folder_of_revisions(service: Service) -> None:
    ini = service.project.folder / "alembic.ini"
    ini.write_text(ini.read_text() + "version_locations = %(here)s/migrations/versions %(here)s/plugins/audit\n")
    service.write("service/plugins/audit/rules.sql")
    assert service.left(MINE, "service/plugins/audit/rules.sql") == FOUND
    assert service.left(MINE, "service/plugins/rules.sql") != FOUND


@pytest.mark.parametrize(
    ("module", "line", "changed"),
    [
        ("", "op.execute((HERE.parents[2] / 'sql/r2.sql').read_text())", "sql/r2.sql"),
        ("", "[op.execute(one.read_text()) for one in (HERE.parents[2] / 'sql').glob('*.sql')]", "sql/gone.sql"),
        (f"{PATH}; import tools.texts", "pass", "tools/texts.py"),
        ("", f"{PATH}; from tools import texts", "tools/words/first.py"),
        (PATH, "__import__('tools.texts')", "tools/words/__init__.py"),
        # As one folder, which git calls a submodule.
        ("", "op.execute((HERE.parents[2] / 'sql/r2.sql').read_text())", "sql"),
        # Documentation, unless it is read.
        ("", "op.execute((HERE.parents[2] / 'docs/queries.md').read_text())", "docs/queries.md"),
    ],
)
def test_a_helper_elsewhere_that_a_revision_imports_or_opens(
    service: Service, module: str, line: str, changed: str
) -> None:
    service.write("sql/r2.sql", "SELECT 2").write("docs/queries.md", "SELECT 3").write("tools/__init__.py")
    service.write("tools/texts.py", "from .words.first import ONE").write("tools/words/__init__.py")
    service.write("tools/words/first.py", "ONE = 1").write("tools/unused.py")
    service.second(line, module=READ + module)
    assert service.left(MINE, changed) == FOUND
    assert service.left(MINE, "tools/unused.py") != FOUND


def test_what_env_py_had_loaded_before_the_revision_imports_it(service: Service) -> None:
    service.write("service/tools/__init__.py").write("service/tools/texts.py", "from tools.words import ONE")
    service.write("service/tools/words.py", "ONE = 1")
    service.env("import sys", "sys.path.insert(0, '.')", "import tools.texts")
    told = service.left(MINE, "service/tools/words.py")
    assert "env.py reads what was changed (service/tools/words.py)" in told[-1].message
    assert "judge without only_changed" in told[-1].message
    service.second("pass", module="from tools import texts")
    assert service.left(MINE, "service/tools/words.py") == FOUND


def test_a_revision_that_was_not_seen_to_its_end(service: Service) -> None:
    """Only online it opens the file."""
    opened = "(HERE.parents[2] / 'sql' / f'r{3}.sql').read_text()"
    service.write("sql/r3.sql", "SELECT 3").write("app/models.py")
    service.second(f"op.get_bind().scalar('SELECT 1') and op.execute({opened})", module=READ)
    told = service.left(MINE, "sql/r3.sql")
    assert "What 0002 reads when it migrates is not all known here, and these were changed too: sql/r3.sql" in (
        told[-1].message
    )
    service.second("op.get_bind().scalar('SELECT 1')", "op.execute((HERE.parents[2] / 'sql/r3.sql').read_text())",
                   module=READ)  # fmt: skip
    assert service.left(MINE, "sql/r3.sql") == FOUND
    # Nothing else was changed, so there is nothing that it could read.
    assert "not all known" not in service.left(MINE)[-1].message


def test_a_revision_that_was_renamed_alone(service: Service) -> None:
    old = "service/migrations/versions/3.py"
    assert service.left(MINE, old, renamed={old: MINE})[-1].id == "revisions-not-changed"
    # A helper that became a revision, and a revision that went.
    assert service.left(MINE, old) == FOUND
    helper = "service/migrations/lib/3.py"
    assert service.left(MINE, helper, renamed={helper: MINE}) == FOUND


def test_what_python_makes_of_modules(service: Service) -> None:
    assert service.left(MINE, "service/migrations/versions/__pycache__/0002.cpython-313.pyc") != FOUND
