from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from lossnets.warehouse.sources.records import Measurement, RunRecord

LAYERS = ("early", "semi_early", "middle", "late")


def _scored(values: dict[tuple[str, str], float], score: str = "svhn_accuracy", **fields):
    return RunRecord(
        benchmark={"svhn": "autoencoding", "bapp": "perceptual_similarity"}[score[:4]],
        measurements=tuple(
            Measurement(architecture=architecture, layer=layer, score=score, value=value)
            for (architecture, layer), value in values.items()
        ),
        **fields,
    )


def test_score_means_average_over_runs(warehouse, record):
    warehouse.append(
        [record({"late": value}, seed=seed) for seed, value in enumerate((0.25, 0.5, 0.75))]
    )
    assert warehouse.rows(
        "select value, sd, runs from score_means where source = 'measured'"
    )[1] == [(0.5, 0.25, 3)]  # fmt: skip


def test_the_mean_of_equal_values_is_that_value(warehouse, record):
    assert (0.1 + 0.1 + 0.1) / 3 != 0.1
    warehouse.append([record({"late": 0.1}, seed=seed) for seed in range(3)])
    _, rows = warehouse.rows("select value, sd from score_means where source = 'measured'")
    assert rows == [(0.1, 0.0)]


def test_means_and_spreads_depend_neither_on_order_nor_on_threads(warehouse):
    """Plain sums of these differ in their last digits, and ranks with them."""
    from lossnets.warehouse.loading.database import writing

    with writing(warehouse.path) as connection:
        connection.execute("insert into store.files values ('records/x.jsonl', 0, 0, null)")
        connection.execute(
            "insert into store.runs (run, run_id, source_id, benchmark, file) select 100 + i, i, "
            "2, 'autoencoding', 'records/x.jsonl' from range(300) t(i)"
        )
        measured = (
            "select score_id, loss_network_id, 100 + i, "
            "round(0.5 + hash(score_id, loss_network_id, i) % 10000 / 25000, 4) as value "
            "from store.scores, store.loss_networks, range(300) t(i)"
        )
        found = []
        for order, threads in (("i", 1), ("i desc", 1), ("hash(i, loss_network_id)", 2)):
            connection.execute(f"set threads = {threads}; begin")
            connection.execute(
                "insert into store.measurements (score_id, loss_network_id, run, value) "
                f"{measured} order by {order}"
            )
            means = "select value, sd from score_means where source = 'measured' order by all"
            found.append(connection.execute(means).fetchall())
            connection.execute("rollback")
    ((scores,),) = warehouse.rows("select count(*) from score_catalog")[1]
    assert len(found[0]) == scores * 56
    assert found[0] == found[1] == found[2]


def test_one_run_has_no_spread(paper_warehouse):
    assert paper_warehouse.rows("select distinct sd, runs from score_means")[1] == [(None, 1)]


def test_preset_runs_stand_in_runs_and_nowhere_else(warehouse, record):
    warehouse.append(record({"late": 0.9}, preset="smoke"))
    assert warehouse.rows("select preset, layers from runs where source = 'measured'")[1] == [
        ("smoke", ["late"])
    ]
    for view in ("scores", "score_means", "scores_wide", "best_layers", "ranks", "average_ranks"):
        assert warehouse.rows(f"from {view} where source = 'measured'")[1] == []


def test_a_baseline_stands_in_scores_and_in_no_mean_or_rank(warehouse, record):
    warehouse.append(record({None: 0.4}, architecture=None))
    _, rows = warehouse.rows(
        "select architecture, layer, family, value from scores where source = 'measured'"
    )
    assert rows == [(None, None, None, 0.4)]
    for view in ("score_means", "best_layers", "ranks"):
        assert warehouse.rows(f"from {view} where source = 'measured'")[1] == []


def test_best_layers_name_every_layer_that_reaches_the_best(warehouse):
    warehouse.append(
        _scored({("vgg11", "late"): 0.7, ("vgg11", "early"): 0.7, ("vgg11", "middle"): 0.6})
    )
    _, rows = warehouse.rows(
        "select value, layers, layer_count from best_layers where source = 'measured'"
    )
    assert rows == [(0.7, ["early", "late"], 2)]


def test_where_lower_is_better_the_least_value_is_best_and_first(home):
    """No published score is such, so the catalog is turned round for one."""
    from lossnets.warehouse.loading.database import writing
    from lossnets.warehouse.store import Warehouse

    warehouse = Warehouse.open(home)
    with writing(warehouse.path, 0) as connection:
        connection.execute(
            "update store.scores set higher_is_better = false where score = 'bapps_jnd'"
        )
    _, rows = warehouse.rows(
        "select architecture, layers from best_layers "
        "join ranks using (source, score, architecture) where score = 'bapps_jnd' and rank = 1"
    )
    assert rows == [("densenet121", ["early"])]  # 0.506, the least of Table V


def test_ranks_under_ties(warehouse):
    """a and b tie for the first place, c is third, d and e tie for the last: by hand."""
    warehouse.append(
        _scored(
            {("vgg11", "late"): 0.9, ("vgg16", "early"): 0.9, ("vgg19", "late"): 0.8,
             ("alexnet", "late"): 0.1, ("resnet18", "late"): 0.1, ("vgg11", "early"): 0.0}
        )
    )  # fmt: skip
    _, rows = warehouse.rows(
        "select architecture, rank, least_rank, greatest_rank, architectures from ranks "
        "where source = 'measured' order by rank, architecture"
    )
    assert rows == [
        ("vgg11", 1.5, 1, 2, 5),
        ("vgg16", 1.5, 1, 2, 5),
        ("vgg19", 3.0, 3, 3, 5),
        ("alexnet", 4.5, 4, 5, 5),
        ("resnet18", 4.5, 4, 5, 5),
    ]


def test_an_overall_rank_needs_all_four_benchmarks(warehouse):
    warehouse.append(_scored({("vgg11", "late"): 0.9, ("vgg16", "late"): 0.8}))
    _, rows = warehouse.rows(
        "select architecture, autoencoding, delineation, overall from average_ranks "
        "where source = 'measured' order by 1"
    )
    assert rows == [("vgg11", 1.0, None, None), ("vgg16", 2.0, None, None)]


def test_a_benchmark_rank_needs_every_score_that_others_have(warehouse):
    warehouse.append(
        [
            _scored({("vgg11", "late"): 0.9, ("vgg16", "late"): 0.8}, "bapps_2afc"),
            _scored({("vgg11", "late"): 0.6}, "bapps_jnd"),
        ]
    )
    _, rows = warehouse.rows(
        "select architecture, perceptual_similarity from average_ranks "
        "where source = 'measured' order by 1"
    )
    assert rows == [("vgg11", 1.0)]


def test_scores_wide_has_the_values_of_scores(paper_warehouse):
    _, wide = paper_warehouse.rows(
        "from (unpivot scores_wide on columns(* exclude (source, architecture, family, layer, "
        "layer_position)) into name score value value) "
        "select architecture, layer, score, value order by all"
    )
    _, long = paper_warehouse.rows(
        "select architecture, layer, score, value from scores order by all"
    )
    assert len(wide) == 1064
    assert wide == long


def test_a_run_of_the_paper_is_an_architecture_and_benchmark(paper_warehouse):
    assert paper_warehouse.rows(
        "select count(*), count(distinct run_id), min(len(layers)), max(len(layers)) from runs"
    )[1] == [(56, 56, 4, 4)]


ARCHITECTURES = [f"net{i}" for i in range(8)]


@pytest.fixture(scope="module")
def ranking(tmp_path_factory):
    """Ask for the ranks that values of one score give: nothing of it is kept."""
    from lossnets.warehouse.loading.database import writing
    from lossnets.warehouse.loading.shipped import network_ids
    from lossnets.warehouse.store import Warehouse

    warehouse = Warehouse.open(tmp_path_factory.mktemp("ranked") / "data")
    everything = {(name, layer): 0.5 for name in ARCHITECTURES for layer in LAYERS}
    warehouse.append(_scored(everything, preset="smoke"))
    with writing(warehouse.path, 0) as connection:
        networks = network_ids(connection)
        connection.execute(
            "insert into store.runs (run, run_id, source_id, benchmark, file) "
            "select 1000, 'x', source_id, benchmark, file from store.runs where source_id = 2"
        )

        def ranks(values):
            connection.execute("begin")
            for network, value in values.items():
                connection.execute(
                    "insert into store.measurements (score_id, loss_network_id, run, value) "
                    "select score_id, ?, 1000, ? from store.scores where score = 'svhn_accuracy'",
                    [networks[network], value],
                )
            found = connection.execute(
                "select architecture, rank, least_rank, greatest_rank, architectures, value "
                "from ranks where source = 'measured' order by architecture"
            ).fetchall()
            connection.execute("rollback")
            return found

        yield ranks


grids = st.dictionaries(
    st.tuples(st.sampled_from(ARCHITECTURES), st.sampled_from(LAYERS)),
    st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.30000000000000004, 1.0]),
    min_size=1,
)


@settings(max_examples=50, deadline=None)
@given(values=grids)
def test_ranks_are_those_of_scipy_and_sum_right(ranking, values):
    best: dict[str, float] = defaultdict(lambda: -math.inf)
    for (architecture, _), value in values.items():
        best[architecture] = max(best[architecture], value)
    names = sorted(best)
    expected = [
        rankdata([-best[name] for name in names], method=method)
        for method in ("average", "min", "max")
    ]
    rows = ranking(values)
    assert rows == [
        (name, mean, least, greatest, len(names), best[name])
        for name, mean, least, greatest in zip(names, *expected, strict=True)
    ]
    assert sum(row[1] for row in rows) == len(names) * (len(names) + 1) / 2


@settings(max_examples=20, deadline=None)
@given(values=grids, order=st.randoms(use_true_random=False))
def test_ranks_do_not_depend_on_the_order_of_rows(ranking, values, order):
    shuffled = list(values.items())
    order.shuffle(shuffled)
    assert ranking(dict(shuffled)) == ranking(values)
