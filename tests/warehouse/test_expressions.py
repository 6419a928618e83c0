"""What an attribute may be derived from."""

import duckdb
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import expressions
from lossnets.warehouse.sources.expressions import columns_used

VALID = (
    "valid are arithmetic, comparisons, CASE, CAST, COALESCE and functions of one row such as "
    "ln or round"
)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("macs / params", ["macs", "params"]),
        ("ln(macs) / ln(macs + 1)", ["macs"]),
        ("case when depth > 20 then 1 else 0 end", ["depth"]),
        ("depth between 1 and 3 and not (params is null)", ["depth", "params"]),
        ("coalesce(macs, 0)::double", ["macs"]),
        ("try(cast(macs as integer)) % 2", ["macs"]),
        ("family in ('VGG', 'ResNet')", ["family"]),
        ("family like 'V%'", ["family"]),
        ("if(depth > 3, 1, 0) -- deep", ["depth"]),
        ("2 * pi()", []),
    ],
)
def test_expressions_over_one_row_are_allowed(expression: str, columns: list[str]) -> None:
    assert columns_used(expression) == columns


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("(select max(depth) from architectures)", "a subquery"),
        ("depth in (select depth from architectures)", "a subquery"),
        ("exists (select 1)", "a subquery"),
        ("depth = any([1, 2])", "a subquery"),
        ("sum(depth)", "sum()"),
        ("depth + median(depth)", "median()"),
        ("rank() over (order by depth)", "a window function"),
        ("avg(depth) over ()", "a window function"),
        ("random()", "random()"),
        ("nextval('s')", "nextval()"),
        ("now()", "now()"),
        ("current_localtime()", "current_localtime()"),
        ("getenv('HOME')", "getenv()"),
        ("getvariable('x')", "getvariable()"),
        ("unnest([1, 2])", "unnest()"),
        ("list_sum([1, 2])", "list_sum()"),
        ("*", "'*'"),
        ("columns('d.*')", "'*'"),
        ("$1", "a parameter"),
        ("?", "a parameter"),
        ("x -> x", "a lambda"),
        ("default", "DEFAULT"),
        ("#1", "a column by its position"),
        ("family collate nocase", "a collation"),
        ("name[1]", "array_extract"),
        ("main.abs(depth)", "abs() with DISTINCT, FILTER, ORDER BY or a schema"),
        ("abs(distinct depth)", "abs() with DISTINCT, FILTER, ORDER BY or a schema"),
    ],
)
def test_what_is_no_function_of_one_row_is_refused(expression: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        columns_used(expression)
    assert caught.value.message == f"{what} cannot stand in an attribute: {VALID}"


NOT_ONE = "the expression is not one expression but a statement of its own"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "the expression is empty"),
        (" \n", "the expression is empty"),
        ("depth +", 'the expression does not parse: syntax error at or near ")"'),
        ("1) from read_csv('/etc/passwd') where (true", NOT_ONE),
        ("1) from read_csv('/etc/passwd'", NOT_ONE),
        ("1) from (select 1", NOT_ONE),
        ("1) union (select 2", NOT_ONE),
        ("1), (2", NOT_ONE),
        ("1) as depth, (2", NOT_ONE),
        ("1) order by (1", NOT_ONE),
        ("1); drop table store.scores; select (1", NOT_ONE),
        ("1); select (1", NOT_ONE),
        ("1); copy (select 1) to '/tmp/x'; select (1", NOT_ONE),
        ("depth::json", "a cast to json makes no number: cast to double or boolean"),
        ("l.depth", "'l.depth' is not an attribute: write its name alone"),
        ("- " * 1500 + "depth", "the expression is nested too deeply"),
        ("(" * 1800 + "depth" + ")" * 1800, "the expression is nested too deeply"),
        ("depth" + " " * 4000 + "+ 1", "the expression has 4,008 characters, at most 4,000"),
    ],
)
def test_what_is_not_one_expression_is_refused(expression: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        columns_used(expression)
    assert caught.value.message == message


def test_every_allowed_function_depends_on_its_arguments_alone() -> None:
    """DuckDB's own catalog says so; a function written as a macro has no stability of its own."""
    names = sorted(expressions.FUNCTIONS | expressions.ARITHMETIC | expressions.TEXT_MATCHES)
    with duckdb.connect() as connection:
        found = connection.execute(
            """
            select function_name, bool_and(
                (function_type = 'scalar' and stability = 'CONSISTENT')
                or (function_type = 'macro' and function_name in ('if', 'nullif'))
            )
            from duckdb_functions() where function_name in (select unnest($1)) group by all
            """,
            [names],
        ).fetchall()
    assert dict(found) == dict.fromkeys(names, True)
