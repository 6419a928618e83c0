"""`lossnets attribute`: one command makes a column; a wrong one changes nothing."""

import json

import pytest

from lossnets.warehouse.store import Warehouse


@pytest.fixture
def years(tmp_path):
    path = tmp_path / "years.csv"
    path.write_text("architecture,year,open\nvgg11,2014,true\nalexnet,2012,\n")
    return path


def names(run) -> list[str]:
    done = run("sql", "--format", "csv", "select attribute from attribute_catalog order by all")
    return done.out.split()[1:]


def test_add_makes_a_column_of_both_views(run, years):
    done = run("attribute", "add", years, "--unit", "a")
    assert done.status == 0
    assert done.out == (
        "year: numeric, known for 2 of 14 architectures\n"
        "open: binary, known for 1 of 14 architectures\n"
        'next: lossnets sql "select architecture, year from architectures order by year"\n'
    )
    done = run("sql", "select layer, year, open from loss_networks where architecture = 'vgg11'")
    assert done.out == (
        "layer,year,open\nearly,2014.0,1.0\nsemi_early,2014.0,1.0\n"
        "middle,2014.0,1.0\nlate,2014.0,1.0\n"
    )
    done = run("sql", "select count(year), count(*) from architectures")
    assert done.out.splitlines()[1] == "2,14"


def test_what_is_said_of_an_attribute_is_in_the_catalog(run, years):
    years.write_text("architecture,year\nvgg11,2014\n")
    run("attribute", "add", years, "--unit", "a", "--label", "Year <b>", "--description", "x | y")
    done = run("sql", "--format", "json", "from attribute_catalog where attribute = 'year'")
    assert json.loads(done.out) == [
        {
            "attribute": "year",
            "label": "Year <b>",
            "level": "architecture",
            "kind": "numeric",
            "origin": "added",
            "registered": True,
            "unit": "a",
            "description": "x | y",
            "expression": None,
        }
    ]


def test_a_column_by_layer_belongs_to_loss_networks(run, years):
    years.write_text("architecture,layer,rated\nvgg11,late,0.5\n")
    done = run("attribute", "add", years)
    assert done.out.startswith("rated: numeric, known for 1 of 56 loss networks\n")
    done = run("sql", "select layer, rated from loss_networks where rated is not null")
    assert done.out == "layer,rated\nlate,0.5\n"
    done = run("sql", "select rated from architectures")
    assert done.status == 2


def test_an_attribute_survives_a_rebuild_and_a_deleted_database(run, years, home):
    run("attribute", "add", years)
    run("rebuild")
    assert "year" in names(run)
    (home / "warehouse.duckdb").unlink()
    assert "year" in names(run)


def test_derive_computes_from_other_attributes(run, years):
    run("attribute", "add", years)
    done = run("attribute", "derive", "age", "2023 - year", "--unit", "a")
    assert done.out == (
        "age: numeric, known for 2 of 14 architectures\n"
        'next: lossnets sql "select architecture, age from architectures order by age"\n'
    )
    run("attribute", "derive", "old", "age > 10")
    done = run("sql", "select architecture, age, old from architectures where age is not null")
    assert done.out == "architecture,age,old\nvgg11,9.0,0.0\nalexnet,11.0,1.0\n"
    done = run("sql", "select attribute, kind, level from attribute_catalog where origin = "
               "'derived' and attribute in ('age', 'old') order by all")  # fmt: skip
    assert done.out == ("attribute,kind,level\nage,numeric,architecture\nold,binary,architecture\n")


@pytest.mark.parametrize(
    ("expression", "level"),
    [
        ("macs / params", "architecture"),
        ("family = 'VGG'", "architecture"),
        ("layer_position * 2", "loss_network"),
        ("case when layer = 'late' then depth else 0 end", "loss_network"),
        ("depth_fraction + depth", "loss_network"),
    ],
)
def test_a_derived_attribute_has_the_level_of_what_it_uses(run, expression, level):
    assert run("attribute", "derive", "mine", expression).status == 0
    done = run("sql", "select level from attribute_catalog where attribute = 'mine'")
    assert done.out.splitlines()[1] == level


def test_a_derived_attribute_is_null_where_it_has_no_finite_value(run):
    run("attribute", "derive", "mine", "ln(skip_connections)")
    done = run(
        "sql", "select count(mine), count(*) filter (skip_connections = 1) from architectures"
    )
    known, with_skips = done.out.splitlines()[1].split(",")
    assert known == with_skips != "0"


BAD_EXPRESSIONS = {
    "depth +": ('the expression does not parse: syntax error at or near ")"', None),
    "1); drop table store.scores; select (1": (
        "the expression is not one expression but a statement of its own",
        None,
    ),
    "dept / 2": (
        "'dept' is no attribute, did you mean depth or depth_to_layer or depth_fraction?",
        "lossnets attribute list",
    ),
    "mine + 1": ("mine cannot be derived from itself", None),
    "42": ("the expression uses no attribute: it is the same for every network", None),
    "family": (
        "the expression cannot be computed: it gives varchar where a number or yes and no is "
        "needed",
        None,
    ),
    "ln(-depth)": ("the expression has no finite value for any loss network", None),
    "depth + family": (
        "the expression cannot be computed: Binder Error: No function matches the given name and "
        "argument types '+(DOUBLE, VARCHAR)'. You might need to add explicit type casts.",
        None,
    ),
}


@pytest.mark.parametrize("expression", BAD_EXPRESSIONS)
def test_a_bad_expression_is_told_and_changes_nothing(run, expression):
    message, hint = BAD_EXPRESSIONS[expression]
    before = names(run)
    done = run("attribute", "derive", "mine", expression)
    assert done.status == 2
    assert done.err == f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")
    assert names(run) == before


NAME_RULE = "is no attribute name: up to 63 of a-z, 0-9 and _ are valid, a letter first"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2nd", f"'2nd' {NAME_RULE}"),
        ("a" * 64, f"'{'a' * 64}' {NAME_RULE}"),
        ("x; drop table scores", f"'x; drop table scores' {NAME_RULE}"),
        ('x"', f"'x\"' {NAME_RULE}"),
        ("<script>alert(1)</script>", f"'<script>alert(1)</script>' {NAME_RULE}"),
        ("../x", f"'../x' {NAME_RULE}"),
        ("größe", f"'größe' {NAME_RULE}"),
        ("select", "'select' is an SQL keyword, choose another name"),
        ("depth", "'depth' is a column of architectures already, choose another name"),
        ("value", "'value' is a column of best_layers already, choose another name"),
        ("svhn_accuracy", "'svhn_accuracy' is a column of paper_table_04 already, choose another "
         "name"),
        ("layer_position", "'layer_position' is a column of loss_networks already, choose another "
         "name"),
    ],
)  # fmt: skip
def test_a_bad_name_is_told_and_changes_nothing(run, years, name, message):
    before = names(run)
    quoted = name.replace('"', '""')
    years.write_text(f'architecture,good,"{quoted}"\nvgg11,1,2\n', "utf-8")
    for command in (("add", years), ("derive", name, "depth + 1")):
        done = run("attribute", *command)
        assert (done.status, done.err) == (2, f"error: {message}\n")
    assert names(run) == before


def test_a_name_taken_by_a_registered_attribute_can_be_replaced(run, years):
    run("attribute", "add", years)
    done = run("attribute", "add", years)
    assert done.status == 2
    assert done.err == (
        "error: there is an attribute year already\nhint: choose another name, or add --replace\n"
    )
    years.write_text("architecture,year\nvgg16,1\n")
    assert run("attribute", "add", years, "--replace").status == 0
    done = run("sql", "select architecture, year from architectures where year is not null")
    assert done.out == "architecture,year\nvgg16,1.0\n"


def test_a_shipped_attribute_cannot_be_replaced(run):
    done = run("attribute", "derive", "depth", "params", "--replace")
    assert done.status == 2
    assert done.err == (
        "error: 'depth' is a column of architectures already, choose another name\n"
    )


def test_no_attribute_comes_to_depend_on_itself(run):
    run("attribute", "derive", "a1", "depth + 1")
    run("attribute", "derive", "a2", "a1 + 1")
    done = run("attribute", "derive", "a1", "a2 + 1", "--replace")
    assert (done.status, done.err) == (
        2, "error: a1 cannot be derived from what is derived from it\n"
    )  # fmt: skip


def test_a_replacement_keeps_the_level_that_others_rely_on(run):
    run("attribute", "derive", "a1", "depth + 1")
    run("attribute", "derive", "a2", "a1 + 1")
    done = run("attribute", "derive", "a1", "channels", "--replace")
    assert done.status == 2
    assert done.err == (
        "error: a1 belongs to the architecture and a2 is derived from it: its replacement cannot "
        "belong to the loss_network\nhint: lossnets attribute remove a2\n"
    )


def test_words_become_a_categorical_attribute_that_others_may_use(run, years):
    years.write_text("architecture,activation\nvgg11,relu\nefficientnet_b0,silu\n")
    done = run("attribute", "add", years, "--unit", "none")
    assert done.out.startswith("activation: categorical, known for 2 of 14 architectures\n")
    assert run("attribute", "derive", "smooth", "activation = 'silu'").status == 0
    run("rebuild")
    done = run("sql", "select layer, activation, smooth from loss_networks "
               "where architecture in ('vgg11', 'efficientnet_b0') and layer = 'late'")  # fmt: skip
    assert done.out == "layer,activation,smooth\nlate,relu,0.0\nlate,silu,1.0\n"


def test_each_column_may_have_its_unit(run, years):
    years.write_text("architecture,year,speed (img/s)\nvgg11,2014,3\n")
    assert run("attribute", "add", years, "--unit", "year=a").status == 0
    done = run("sql", "select attribute, unit from attribute_catalog where attribute in "
               "('year', 'speed') order by 1")  # fmt: skip
    assert done.out == "attribute,unit\nspeed,img/s\nyear,a\n"
    done = run("attribute", "add", years, "--replace", "--unit", "yeer=a")
    assert done.err == "error: a unit is given for 'yeer', which is unknown: did you mean 'year'?\n"


def test_an_attribute_is_renamed_described_and_shown(run, years):
    run("attribute", "add", years)
    assert run("attribute", "rename", "year", "published").out == "renamed year to published\n"
    done = run("attribute", "set", "published", "--unit", "a", "--description", "First version.")
    assert done.out == "published: published, in a. First version.\n"
    done = run("attribute", "show", "published")
    assert done.out == "architecture,published\nvgg11,2014.0\nalexnet,2012.0\n"
    assert "unit: a\ndescription: First version.\n" in done.err
    assert not {"year"} & set(names(run))
    for command, told in (
        (("rename", "yeer", "x"), "no attribute 'yeer' has been registered, registered are: open, "
         "published"),
        (("rename", "published", "depth"), "'depth' is a column of architectures already, choose "
         "another name"),
        (("set", "open", "--unit", "a"), "open is binary: it has no unit"),
        (("set", "open"), "there is nothing to set"),
        (("show", "publishd"), "there is no attribute 'publishd': did you mean 'published'?"),
    ):  # fmt: skip
        assert run("attribute", *command).err.splitlines()[0] == f"error: {told}"


def test_remove_forgets(run, years):
    run("attribute", "add", years)
    assert run("attribute", "remove", "year").out == "removed year\n"
    assert "year" not in names(run)
    assert "open" in names(run)


def test_what_others_are_derived_from_is_not_removed(run):
    run("attribute", "derive", "a1", "depth + 1")
    run("attribute", "derive", "a2", "a1 + 1")
    done = run("attribute", "remove", "a1")
    assert done.status == 2
    assert done.err == "error: a2 is derived from a1\nhint: lossnets attribute remove a2\n"


@pytest.mark.parametrize("name", ["depth", "nothing", "../records/x"])
def test_only_what_was_registered_is_removed(run, years, name):
    run("attribute", "add", years)
    done = run("attribute", "remove", name)
    assert (done.status, done.err) == (
        2,
        f"error: no attribute {name!r} has been registered, registered are: open, year\n",
    )


def test_a_wrong_cell_leaves_no_column_of_the_file(run, years, home):
    years.write_text("architecture,x,y\nvgg11,1,high\nvgg16,1,2\n")
    done = run("attribute", "add", years)
    assert done.status == 2
    assert done.err == (
        f"error: {years}, line 2, column y: 'high' is no number; leave the cell empty where the "
        "value is not known\n"
    )
    assert not list((home / "attributes").glob("*"))


def test_a_label_is_for_one_attribute(run, years):
    done = run("attribute", "add", years, "--label", "Year")
    assert (done.status, done.err) == (2, "error: --label names one attribute, the table has 2\n")


def test_a_description_is_one_line(run, years):
    done = run("attribute", "add", years, "--description", "a\nb")
    assert (done.status, done.err) == (
        2,
        "error: the description is more than one line of at most 1000 printable characters\n",
    )


def test_a_broken_attribute_file_is_told_by_status_and_hinders_nothing(run, years, home):
    run("attribute", "add", years)
    (home / "attributes" / "bad.json").write_text("{")
    done = run("status")
    assert done.status == 0
    assert "skipped attributes/bad.json: is no attribute: line 1 is not JSON\n" in done.err
    assert run("attribute", "derive", "age", "2023 - year").status == 0
    assert run("attribute", "remove", "bad").status == 0
    assert "skipped" not in run("status").err


def test_list_prints_every_attribute(run):
    done = run("attribute", "list", "--format", "jsonl")
    listed = [json.loads(line)["attribute"] for line in done.out.splitlines()]
    assert {"depth", "paper_depth", "depth_fraction"} <= set(listed)


def test_measuring_without_torch_says_how_to_get_it(without_torch):
    done = without_torch("attribute", "measure", "--all")
    assert (done.returncode, done.stderr) == (
        2,
        'error: measuring needs torch, which is not installed\nhint: pip install "lossnets[run]"\n',
    )


def test_a_random_attribute_is_in_the_frames_of_the_studies(run, years, home):
    from lossnets.analysis.frames.frames import Frames

    years.write_text("architecture,luck\nvgg11,0.3\nvgg16,0.1\nalexnet,0.7\n")
    run("attribute", "add", years)
    frames = Frames.read(Warehouse.open(home))
    assert "luck" in frames.architectures.columns
    assert "luck" in frames.loss_networks.columns
    assert "luck" in set(frames.attribute_catalog["attribute"])
