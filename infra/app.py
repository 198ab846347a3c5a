"""The map made real in AWS: `python -m infra.app [-c key=value ...]` writes cdk.out, as the CDK's own CLI does.

Three stacks from the first day: what is kept, what works, what is seen from outside.
"""

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra import layers
from infra.edge import Edge
from infra.stage import ROOT, Stage, committed_context, from_context, given
from infra.state import State
from infra.work import Work


def add_stacks(app: App, stage: Stage, assets: dict[str, Path]) -> tuple[State, Work, Edge]:
    """The stacks of one stage. `assets`: folders of layers and doors by name."""
    state = State(app, stage)
    work = Work(app, stage, state, assets)
    return state, work, Edge(app, stage, state, work)


def spoken(arguments: list[str]) -> dict[str, str]:
    """`-c key=value` as the CLI takes it."""
    return given(value for flag, value in pairwise(arguments) if flag in ("-c", "--context"))


def main(arguments: list[str]) -> None:
    """Build what is missing of the layers, then write the templates, checked by cdk-nag."""
    context: dict[str, Any] = committed_context() | spoken(arguments)
    app = App(context=context, outdir=os.environ.get("CDK_OUTDIR") or str(ROOT / "cdk.out"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    add_stacks(app, from_context(app.node.try_get_context), layers.for_the_cloud())
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1:])
