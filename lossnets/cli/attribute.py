"""`lossnets attribute`: columns of one's own, from a file, from SQL or from the networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossnets.cli import terminal
from lossnets.face.needs import needing_torch
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from lossnets.face.warehouse import Warehouse
    from lossnets.warehouse.sources.attribute_files import Attribute


def _described(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that registers attributes."""
    for option in (
        click.option("--replace", is_flag=True, help="Replace attributes registered before."),
        click.option("--description", default="", help="What it is, in a sentence."),
        click.option("--label", help="Its name for people."),
        click.option("--unit", default="", help="The unit of its values, such as 'px'."),
    ):
        command = option(command)
    return command


@click.group()
def attribute() -> None:
    """Add columns to the loss networks and architectures, without code."""


@attribute.command("add")
@click.argument("file", type=terminal.FILE)
@click.option(
    "--unit",
    "units",
    multiple=True,
    help="The unit of all values, such as 'px', or NAME=UNIT; may be repeated.",
)
@click.option("--label", help="Its name for people.")
@click.option("--description", default="", help="What it is, in a sentence.")
@click.option("--known-only", is_flag=True, help="Leave out rows of unknown networks.")
@click.option("--numeric-only", is_flag=True, help="Leave out columns of text.")
@click.option("--replace", is_flag=True, help="Replace attributes registered before.")
@click.pass_obj
def add_attributes(home: Path, file: Path, units: tuple[str, ...], **options: Any) -> None:
    """Register the attribute columns of a table FILE.

    Its columns are architecture, layer where the values differ by layer, and one per attribute:
    numbers, yes and no, or words. It is CSV, JSON, JSON lines or Parquet (docs/import.md).
    """
    from lossnets.warehouse.intake import attributes
    from lossnets.warehouse.intake.attribute_csv import Selection

    warehouse = terminal.open_warehouse(home)
    found = attributes.add(
        warehouse,
        file,
        attributes.Description(
            unit=_units(units), label=options["label"], description=options["description"]
        ),
        may_replace=options["replace"],
        selection=Selection(known_only=options["known_only"], numeric_only=options["numeric_only"]),
    )
    _tell(warehouse, found.attributes)
    for told in found.left_out:
        terminal.note(f"left out: {told}")
    _suggest(found.attributes[0])


def _units(units: tuple[str, ...]) -> str | dict[str, str]:
    named = dict(unit.split("=", 1) for unit in units if "=" in unit)
    if len(units) > 1 and len(named) < len(units):
        raise UserError("--unit is one unit for all, or NAME=UNIT of each")
    return named or "".join(units)


@attribute.command("derive")
@click.argument("name")
@click.argument("expression")
@_described
@click.pass_obj
def derive_attribute(home: Path, name: str, expression: str, replace: bool, **about: Any) -> None:
    """Register NAME as an SQL EXPRESSION.

    It computes one value from the other attributes, as in "macs / params", for networks added
    later too.
    """
    warehouse = terminal.open_warehouse(home)
    item = warehouse.derive(name, expression, replace=replace, **about)
    _tell(warehouse, [item])
    _suggest(item)


@attribute.command("list")
@terminal.shown
@click.pass_obj
def list_attributes(home: Path, style: str | None, output: Path | None) -> None:
    """Print every attribute with its unit and where it comes from."""
    columns, rows = terminal.open_warehouse(home).rows("select * from attribute_catalog")
    terminal.print_rows(columns, rows, style, output)


@attribute.command("remove")
@click.argument("name")
@click.pass_obj
def remove_attribute(home: Path, name: str) -> None:
    """Forget the registered attribute NAME."""
    from lossnets.warehouse.intake import attributes

    attributes.remove(home, name)
    terminal.say(f"removed {name}")


@attribute.command("rename")
@click.argument("name")
@click.argument("new")
@click.pass_obj
def rename_attribute(home: Path, name: str, new: str) -> None:
    """Give the registered attribute NAME the name NEW."""
    from lossnets.warehouse.intake import attribute_changes

    attribute_changes.rename(terminal.open_warehouse(home), name, new)
    terminal.say(f"renamed {name} to {new}")


@attribute.command("set")
@click.argument("name")
@click.option("--unit", help="The unit of its values, such as 'px'.")
@click.option("--label", help="Its name for people.")
@click.option("--description", help="What it is, in a sentence.")
@click.pass_obj
def set_attribute(home: Path, name: str, **about: str | None) -> None:
    """Say something else of the registered attribute NAME."""
    from lossnets.warehouse.intake import attribute_changes

    item = attribute_changes.set_about(terminal.open_warehouse(home), name, **about)
    unit = f", in {item.unit}" if item.unit else ""
    terminal.say(f"{item.attribute}: {item.label}{unit}. {item.description}")


@attribute.command("show")
@click.argument("name")
@terminal.shown
@click.pass_obj
def show_attribute(home: Path, name: str, style: str | None, output: Path | None) -> None:
    """Print the values of the attribute NAME, and what is said of it on standard error."""
    from lossnets.warehouse.intake import attribute_changes

    about, columns, rows = attribute_changes.shown(terminal.open_warehouse(home), name)
    for field, text in about.items():
        terminal.note(f"{field}: {text}")
    terminal.print_rows(columns, rows, style, output)


@attribute.command("measure")
@click.option(
    "--architecture",
    "--network",
    "architectures",
    multiple=True,
    help="A model of torchvision, timm:NAME, or module:FILE:FUNCTION; may be repeated.",
)
@click.option("--all", "all_models", is_flag=True, help="Every torchvision classification model.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    help="A traced node to measure at, such as features.3; may be repeated.",
)
@click.option(
    "--function",
    metavar="MODULE:NAME",
    help="Measure an attribute of your own instead (docs/extending.md).",
)
@click.option(
    "--weights",
    help="With --function: its source's name, 'random', or the file of a state dict.",
)
@terminal.shown
@click.pass_obj
def measure_attributes(home: Path, style: str | None, output: Path | None, **options: Any) -> None:
    """Measure attributes on the networks themselves. Needs torch and torchvision.

    Values of networks beyond the paper's are registered, as are those of your own functions.
    """
    measure = needing_torch("lossnets.runners.attributes.measure", "measuring")
    names, layers = list(options["architectures"]), list(options["layers"])
    with terminal.Progress() as progress:
        if options["function"] is None:
            rows = measure.measure(
                names,
                home=home,
                all_models=options["all_models"],
                layers=layers,
                progress=progress,
            )
        else:
            rows = measure.measure_function(
                options["function"],
                list(measure.architectures()) if options["all_models"] else names,
                home=home,
                layers=layers,
                weights=options["weights"],
                progress=progress,
            )
    terminal.print_rows(measure.COLUMNS, [list(row.values()) for row in rows], style, output)


def _tell(warehouse: Warehouse, items: list[Attribute]) -> None:
    """One line on each registered attribute: what it is, for how much it is known."""
    from lossnets.warehouse.intake.attributes import coverage

    for item, (known, of) in zip(items, coverage(warehouse, items), strict=True):
        networks = item.level.replace("_", " ") + "s"
        terminal.say(f"{item.attribute}: {item.kind}, known for {known} of {of} {networks}")


def _suggest(item: Attribute) -> None:
    view = "architectures" if item.level == "architecture" else "loss_networks"
    keys = "architecture" if item.level == "architecture" else "architecture, layer"
    terminal.say(
        f'next: lossnets sql "select {keys}, {item.attribute} from {view} '
        f'order by {item.attribute}"'
    )
