"""Write the answers into docs/sql.md, below their queries: `python docs/answer_sql.py`."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from lossnets.warehouse.answers.row_text import write_table
from lossnets.warehouse.store import Warehouse

PAGE = Path(__file__).with_name("sql.md")
QUERY = re.compile(r"```sql\n(?P<query>.*?)```\n(?P<answer>\n```text\n.*?```\n)?", re.DOTALL)


def queries(text: str) -> list[str]:
    """Every query of the page."""
    return [match["query"] for match in QUERY.finditer(text)]


def answered(text: str, warehouse: Warehouse) -> str:
    """The page with each answer that it shows as the warehouse gives it."""

    def answer(match: re.Match[str]) -> str:
        if match["answer"] is None:
            return match[0]
        table = io.StringIO()
        write_table(table, *warehouse.rows(match["query"]))
        return f"```sql\n{match['query']}```\n\n```text\n{table.getvalue()}```\n"

    return QUERY.sub(answer, text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        PAGE.write_text(answered(PAGE.read_text("utf-8"), Warehouse.open(home)), "utf-8")
