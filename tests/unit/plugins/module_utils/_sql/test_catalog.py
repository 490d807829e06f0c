"""The catalogue as an upgrade moves it on."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

ITEM, BY_NAME, BY_SIZE = ("public", "item"), ("public", "by_name"), ("public", "by_size")


def catalog() -> Catalog:
    """A table with two indexes, to which the upgrade has added two more."""
    columns = {"name": Column("text"), "size": Column("int4")}
    made = Catalog(complete=True)
    made.tables[ITEM] = Table(ITEM, "r", columns=dict(columns))
    for index, column in ((BY_NAME, "name"), (BY_SIZE, "size")):
        made.tables[index] = Table(index, "i", columns={column: columns[column]}, table=ITEM)
    for new in ("new_name", "new_computed"):
        made.create((None, new))
        made.indexes["public", new] = ITEM
    made.keys_of_indexes["public", "new_name"] = ("name",)
    return made


@pytest.mark.parametrize(
    ("column", "left"),
    [
        (None, set()),
        # Of one that computes it is not known which columns it has.
        ("name", {BY_SIZE}),
        ("size", {BY_NAME, ("public", "new_name")}),
    ],
)
def test_indexes_go_with_their_table_or_column(column: str | None, left: set[Name]) -> None:
    made = catalog()
    made.drop_indexes(ITEM, column)
    assert {name for name in (*made.tables, *made.created) if name != ITEM} == left


def test_a_table_that_goes_takes_its_indexes() -> None:
    made = catalog()
    made.drop((None, "item"))
    assert not made.tables
    assert not made.created


def test_indexes_follow_the_new_name_of_their_table() -> None:
    made = catalog()
    made.move((None, "item"), to="thing")
    made.drop((None, "thing"))
    assert not made.tables
    assert not made.created
