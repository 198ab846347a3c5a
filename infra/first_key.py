"""The first key of a shop: `python -m infra.first_key --stage dev --shop samovar`.

Every later key is made over the API with this one; it speaks to the deployed tables under your AWS credentials.
"""

import argparse
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.stage import Stage
from vestnik import resources
from vestnik.store import settings

SCOPES = ["admin", "ingest", "operate", "read"]


def variables(stage: Stage, function: str, region: str, lambda_client: Any) -> dict[str, str]:
    """The variables of a deployed function: where its tables and queues are, by the names that the store asks for."""
    found = lambda_client.get_function_configuration(FunctionName=stage.named(function))
    return {**found["Environment"]["Variables"], "AWS_REGION": region}


def make(shop: str, environment: Mapping[str, str], now: datetime) -> str:
    """Make an admin key of `shop`; its text, which is kept nowhere else."""
    text = f"vst_{resources.new_id(24)}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    with resources.use(environment):
        settings.create_key(shop, resources.new_id(6), digest, SCOPES, "first key", now)
    return text


def main() -> None:
    """Print a new key of the shop named."""
    import botocore.session

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default=Stage.name)
    parser.add_argument("--shop", required=True, help="the shop's id: letters, digits and hyphens")
    asked = parser.parse_args()
    session = botocore.session.get_session()
    region = session.get_config_variable("region") or parser.error("no AWS region: set AWS_REGION")
    found = variables(Stage(asked.stage), "manage-shop", region, session.create_client("lambda", region_name=region))
    print(make(asked.shop, found, resources.now()))


if __name__ == "__main__":
    main()
