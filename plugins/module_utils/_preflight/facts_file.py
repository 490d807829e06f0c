"""The file that keeps what a database said of itself, so that revisions can be judged where it cannot be reached.

It holds what the catalogues say: names, types, sizes, counts, positions of sequences, labels of enums, bounds of
partitions, settings, and the rows of the version table. No other row is in it, no text of a default, comment, function
or query, no session, no password and no URL.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import stat
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.typed import test_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import (
    facts,
    facts_objects,
    facts_relations,
    facts_rights,
    facts_version,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_reduction import (
    reduced_constraint,
    reduced_trigger,
)

Row = dict[str, t.Any]

KIND: t.Final = "ai_platform.agent/facts"
FORM: t.Final = f"{KIND}/3"
# Ten thousand tables of ten columns and four indexes are less.
MOST_BYTES: t.Final = 64 * 1024 * 1024
# The type of each table's rows.
TABLES: t.Final[dict[str, type]] = {
    "attribute_counts": facts_relations.AttributeCountRow,
    "bounds": facts_relations.BoundRow,
    "casts": facts_objects.CastRow,
    "classes": facts.ClassRow,
    "columns": facts.ColumnRow,
    "constraints": facts.ConstraintRow,
    "default_classes": facts_objects.DefaultClassRow,
    "dependents": facts_objects.DependentRow,
    "descendants": facts.DescendantRow,
    "domain_uses": facts_objects.DomainUseRow,
    "enums": facts_objects.EnumRow,
    "events": facts_relations.EventTriggerRow,
    "extensions": facts.ExtensionRow,
    "function_uses": facts_relations.FunctionUseRow,
    "functions": facts.FunctionRow,
    "index_classes": facts_objects.IndexClassRow,
    "inherited": facts_relations.InheritedRow,
    "invalid_indexes": facts.InvalidIndexRow,
    "keys": facts_relations.PartitionKeyRow,
    "named": facts_objects.NamedRow,
    "object_types": facts_objects.ObjectTypeRow,
    "parts": facts_objects.PartRow,
    "places": facts_rights.ObjectRightRow,
    "publications": facts_relations.PublicationRow,
    "published": facts.PublishedRow,
    "relation_rights": facts_rights.RelationRightRow,
    "default_rights": facts_rights.DefaultRightRow,
    "closed_rights": facts_rights.ObjectRightRow,
    "role_rights": facts_rights.ObjectRightRow,
    "routine_rights": facts_rights.ObjectRightRow,
    "row_security": facts_relations.RowSecurityRow,
    "sequences": facts_relations.SequenceRow,
    "signatures": facts_objects.SignatureRow,
    "triggers": facts_objects.TriggerRow,
    "type_rights": facts_rights.ObjectRightRow,
    "types": facts.TypeRow,
    "uniques": facts_objects.UniqueRow,
    "unpopulated": facts_objects.UnpopulatedRow,
    "uses": facts.UseRow,
    "write_casts": facts_objects.CastRow,
}


class KeptServer(facts.ServerRow):
    """The part of facts.ServerFacts that is not activity."""

    pooled: bool


class KeptVersion(facts_version.VersionTable):
    """The version table with its name, and the schema where env.py names one."""

    name: str
    schema: str | None


class _Head(t.TypedDict):
    """What stands in the file before the tables.

    :param time: ISO 8601 with a zone
    :param search_path: schemas in which a name without one is looked for, in order
    :param closed_schemas: those into which the role may not look
    """

    form: str
    time: str
    database: str
    search_path: list[str]
    closed_schemas: list[str]
    server: KeptServer
    version_table: KeptVersion


@dataclasses.dataclass(frozen=True)
class FactsFile:
    """The content of a file of facts.

    :param time: when it was written
    :param tables: rows by the names of TABLES
    """

    time: datetime.datetime
    database: str
    search_path: tuple[str, ...]
    closed_schemas: tuple[str, ...]
    server: KeptServer
    version_table: KeptVersion
    tables: dict[str, list[Row]]


def text_of(collected: t.Mapping[str, t.Any], time: datetime.datetime) -> str:
    """The text of a file.

    :param collected: the answer of whole_facts.collect
    :param time: of that answer, with a zone
    :raises FindingError: `argument-invalid`: it would be larger than what is read
    """
    head = {"form": FORM, "time": time.astimezone(datetime.UTC).isoformat(timespec="seconds")}
    head |= {name: collected[name] for name in _Head.__annotations__ if name not in head}
    tables = {name: _packed(name, collected["tables"][name]) for name in TABLES}
    lines = [f" {json.dumps(name)}: {_line(value)}" for name, value in head.items()]
    lines.append(f' "sha256": {json.dumps(_digest(head | {"tables": tables}))}')
    packed = [
        f'  {json.dumps(name)}: {{"columns": {_line(table["columns"])}, "rows": ['
        + ",".join(f"\n   {_line(row)}" for row in table["rows"])
        + "]}"
        for name, table in tables.items()
    ]
    lines.append(' "tables": {\n' + ",\n".join(packed) + "\n }")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if len(text.encode()) > MOST_BYTES:
        words = f"The facts of {collected['database']} would take more than {MOST_BYTES >> 20} MiB"
        raise FindingError("argument-invalid", f"{words}, which nobody reads again; leave facts_path out.")
    return text


def _packed(name: str, rows: t.Iterable[Row]) -> dict[str, t.Any]:
    """Keys once, not in each row; sorted, so that two files can be compared, but for what has an order of its own.

    Functions like has_table_privilege give NULL for what was dropped while it was read: such a row is left out.
    """
    fits = test_of(TABLES[name])
    reduce: t.Any = {"constraints": reduced_constraint, "triggers": reduced_trigger}.get(name)
    columns = list(t.get_type_hints(TABLES[name]))
    there = filter(fits, rows)
    values = [[row.get(column) for column in columns] for row in (map(reduce, there) if reduce else there)]
    return {"columns": columns, "rows": values if name == "columns" else sorted(values, key=_line)}


def _line(value: t.Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _digest(content: t.Any) -> str:
    """The checksum of the content, independent of white space and the order of keys."""
    encoded = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()


def _read_digest(content: t.Any) -> str | None:
    """None of what no file can say: half of a character, or lists in lists without an end."""
    try:
        return _digest(content)
    except (ValueError, RecursionError):
        return None


def read(path: str) -> FactsFile:
    """The content of a file.

    :raises FindingError: `facts-unreadable`: it cannot be read, or is none that text_of made
    """
    content = _json(path)
    form = content.get("form") if isinstance(content, dict) else None
    if not isinstance(form, str) or form.rpartition("/")[0] != KIND:
        _refuse(path, "is no file that facts_path wrote; name one")
    if form != FORM:
        _refuse(path, f"has the form {form[:60]}, and this version reads {FORM}; write it anew with this version")
    if content.pop("sha256", None) != _read_digest(content):
        _refuse(path, "was damaged or changed after it was written; write it anew")
    tables = content.pop("tables", None)
    if not _is_head(content) or not isinstance(tables, dict) or tables.keys() != TABLES.keys():
        _refuse(path, "has not the content that facts_path writes; write it anew")
    unpacked = {name: _unpacked(name, table) for name, table in tables.items()}
    if None in unpacked.values():
        _refuse(path, "has not the content that facts_path writes; write it anew")
    return FactsFile(
        time=datetime.datetime.fromisoformat(content["time"]),
        database=content["database"],
        search_path=tuple(content["search_path"]),
        closed_schemas=tuple(content["closed_schemas"]),
        server=content["server"],
        version_table=content["version_table"],
        tables=t.cast("dict[str, list[Row]]", unpacked),
    )


def _json(path: str) -> t.Any:
    try:
        file = Path(path)
        if not stat.S_ISREG(file.stat().st_mode):
            _refuse(path, "is no ordinary file; name one that facts_path wrote")
        with file.open("rb") as opened:
            encoded = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "its name is none"
        _refuse(path, f"cannot be read ({why}); name a file that facts_path wrote")
    if len(encoded) > MOST_BYTES:
        _refuse(path, f"is larger than {MOST_BYTES >> 20} MiB, as no file of facts_path is; name one")
    try:
        return json.loads(encoded)
    except (ValueError, RecursionError):
        _refuse(path, "is no JSON, or ends too early; write it anew with facts_path")


def _refuse(path: str, words: str) -> t.NoReturn:
    raise FindingError("facts-unreadable", f"The file of facts {path} {words}.")


_fits_head: t.Final = test_of(_Head)


def _is_head(content: t.Any) -> bool:
    if not _fits_head(content):
        return False
    try:
        return datetime.datetime.fromisoformat(content["time"]).tzinfo is not None
    except ValueError:
        return False


def _unpacked(name: str, table: t.Any) -> list[Row] | None:
    """The rows of a table; None where they are not of its type."""
    kind: t.Any = TABLES[name]
    columns = list(t.get_type_hints(kind))
    if not isinstance(table, dict) or table.get("columns") != columns or not isinstance(table.get("rows"), list):
        return None
    fits, optional = test_of(kind), kind.__optional_keys__
    rows: list[Row] = []
    for values in table["rows"]:
        if not isinstance(values, list) or len(values) != len(columns):
            return None
        pairs = zip(columns, values, strict=True)
        row = {column: value for column, value in pairs if value is not None or column not in optional}
        if not fits(row):
            return None
        rows.append(row)
    return rows


__all__ = ("FORM", "MOST_BYTES", "TABLES", "FactsFile", "read", "text_of")
