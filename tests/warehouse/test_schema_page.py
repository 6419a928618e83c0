from __future__ import annotations

from pathlib import Path

from lossnets.warehouse.answers.schema_page import missing_comments, schema_markdown
from lossnets.warehouse.loading.database import writing
from lossnets.warehouse.store import Warehouse

PAGE = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_page_is_what_the_comments_give(paper_warehouse):
    assert PAGE.read_text("utf-8") == schema_markdown(paper_warehouse), "run: make docs"


def test_no_view_or_column_lacks_a_comment(paper_warehouse):
    assert missing_comments(paper_warehouse) == []


def test_a_missing_comment_is_found(home):
    warehouse = Warehouse.open(home)
    with writing(warehouse.path, 0) as connection:
        connection.execute("comment on column ranks.rank is null; comment on view scores is null")
    assert missing_comments(warehouse) == ["scores", "ranks.rank"]


def test_every_shipped_attribute_column_is_in_the_catalog():
    """A column that the catalog lacks would stay out of the views without a word."""
    from lossnets.warehouse.loading.shipped import MEASURED, read_csv

    catalog = {row["attribute"]: row["level"] for row in read_csv(MEASURED / "attributes.csv")}
    architectures = set(read_csv(MEASURED / "architectures.csv")[0]) - {"architecture"}
    networks = set(read_csv(MEASURED / "loss_networks.csv")[0]) - {"architecture", "layer", "node"}
    assert catalog == dict.fromkeys(architectures, "architecture") | dict.fromkeys(
        networks, "loss_network"
    )
