"""``relgate judge``: how far judges agree with people, and labels for them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from relgate.cli.options import (
    json_option,
    number,
    opened,
    print_fields,
    print_json,
    print_table,
    registry_option,
)
from relgate.decision.wording import count
from relgate.domain.errors import Refusal
from relgate.usecases.find_release import find_run
from relgate.usecases.golden_sets import golden_sets_folder
from relgate.usecases.label_answers import add_labels, draw_sample, labelled_answers


@click.group()
def judge() -> None:
    """Hold judges against human labels."""


@judge.command()
@click.argument("run", required=False)
@json_option
@registry_option
def agreement(run: str | None, as_json: bool, registry: str | None) -> None:
    """Show how far the judges of RUN agree with its labels.  [default: the last run]"""
    with opened(registry) as store:
        newest = store.runs(limit=1)
        if run is None and not newest:
            raise Refusal("this registry holds no run yet; judge a release: pytest --manifest FILE")
        card = store.scorecard(newest[0].id if run is None else find_run(store, run).id)
    judges = card.get("judges", [])
    if as_json:
        print_json(judges)
        return
    if not judges:
        click.echo(f"run {card['run']['id']} asked no judge")
        return
    click.echo(f"run {card['run']['id']}\n")
    print_table(
        (
            "suite",
            "metric",
            "model",
            "labels",
            "n",
            "agree",
            "kappa",
            "90 % interval",
            "sens.",
            "spec.",
            "position",
        ),
        [
            (
                each["suite"],
                each["metric"],
                each["model"],
                str(each["labels"]),
                str(each["n"]),
                number(each["agreement"]),
                number(each["kappa"]),
                "-" if each["lower"] is None else f"[{each['lower']:.2f}, {each['upper']:.2f}]",
                number(each["sensitivity"]),
                number(each["specificity"]),
                "-" if each["position_bias"] is None else f"{each['position_bias']:+.2f} of {each['pairs']}",
            )
            for each in judges
        ],
    )
    for each in judges:
        if each["changed"]:
            click.echo(f"\n{each['suite']}: {each['changed']}")
        elif not each["n"]:
            none = "none of its labels is of these answers" if each["labels"] else "no labels when it ran"
            draw = f"relgate judge sample {card['run']['id']} --suite {each['suite']} --out FILE"
            click.echo(f"\n{each['suite']}: {none}; draw some: {draw}")
            click.echo("labels that were added since then count from the next run on")


@judge.command()
@click.argument("run")
@click.option("--suite", required=True, help="The suite's name.")
@click.option(
    "--n", "cases", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Cases at most."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draw.")
@click.option(
    "--again", is_flag=True, help="Draw answers that have labels as well: for a judge that changed."
)
@click.option("--out", metavar="FILE", help="Where the sample goes.  [default: standard output]")
@click.option("--golden-sets", metavar="DIR", help="The golden-set folder.  [default: ini, golden_sets]")
@registry_option
def sample(
    run: str,
    suite: str,
    cases: int,
    seed: int,
    again: bool,
    out: str | None,
    golden_sets: str | None,
    registry: str | None,
) -> None:
    """Draw answers of RUN at random, to be labelled: fill in score (0 to 1) and by on every line.

    Both sides of each case are drawn, without answers that have a label already. Label all of them: a part
    picked by eye corrects nothing.
    """
    folder = golden_sets_folder(golden_sets, os.environ, Path.cwd())
    with opened(registry) as store:
        lines = draw_sample(
            store,
            find_run(store, run).id,
            suite,
            n=cases,
            seed=seed,
            labelled=() if again else labelled_answers(suite, folder),
        )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    if out is None:
        click.echo(text, nl=False)
        return
    path = Path(out)
    if path.exists():
        raise Refusal(f"{out} exists already; name another file")
    path.write_text(text, encoding="utf-8")
    print_fields(
        {
            "written": f"{count(len(lines), 'answer')} to {out}",
            "next": f"fill in score and by on every line, then relgate judge label {out} --suite {suite}",
        }
    )


@judge.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--suite", required=True, help="The suite's name, or its folder in the golden sets.")
@click.option("--golden-sets", metavar="DIR", help="The golden-set folder.  [default: ini, golden_sets]")
@click.option(
    "--registry", metavar="URL", help="Accepted by every command; not needed by this one.", expose_value=False
)
def label(file: str, suite: str, golden_sets: str | None) -> None:
    """Check the labelled sample FILE and append it to the suite's labels.jsonl."""
    folder = golden_sets_folder(golden_sets, os.environ, Path.cwd())
    target, added = add_labels(Path(file), suite, folder)
    print_fields(
        {
            "added": f"{added} labels to {target}",
            "next": "pytest --manifest FILE --reuse always judges the same answers by them, without a call",
        }
    )
