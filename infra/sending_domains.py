"""Which shop may write from which domain: `python -m infra.sending_domains --stage dev [grant|withdraw SHOP DOMAIN]`.

Without a verb it lists what is granted. It speaks to the deployed tables under your AWS credentials: only the operator
of a deployment grants, for SES knows a domain as the account's and not as a shop's.
"""

import argparse
from collections.abc import Mapping
from datetime import datetime

from infra.first_key import variables
from infra.stage import Stage
from vestnik import resources
from vestnik.errors import Refused
from vestnik.store import domains

BY = "operator"


def grant(shop: str, names: list[str], environment: Mapping[str, str], now: datetime) -> list[str]:
    """Give domains to a shop; as they are kept. Raises Refused where one is another shop's."""
    with resources.use(environment):
        return [domains.grant(shop, name, by=BY, now=now) for name in names]


def run(asked: argparse.Namespace, environment: Mapping[str, str], now: datetime) -> str:
    """Do what is asked; what there is to say of it. Raises Refused."""
    if asked.verb == "grant":
        return f"{asked.shop} may write from {', '.join(grant(asked.shop, [asked.domain], environment, now))}"
    with resources.use(environment):
        if asked.verb == "withdraw":
            was = domains.withdraw(asked.shop, asked.domain, by=BY, now=now)
            return f"{asked.domain} is {'no longer' if was else 'not'} {asked.shop}'s"
        return "\n".join(f"{domain}  {shop}" for domain, shop in sorted(domains.owners().items())) or "none"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--stage", default=Stage.name)
    verbs = made.add_subparsers(dest="verb")
    for verb, meaning in (("grant", "let a shop write from a domain"), ("withdraw", "no longer let it")):
        one = verbs.add_parser(verb, help=meaning)
        one.add_argument("shop")
        one.add_argument("domain")
    return made


def main() -> None:
    """Read the command line, and do it."""
    import botocore.session

    asked = parser().parse_args()
    session = botocore.session.get_session()
    region = session.get_config_variable("region") or parser().error("no AWS region: set AWS_REGION")
    found = variables(Stage(asked.stage), "manage-shop", region, session.create_client("lambda", region_name=region))
    try:
        print(run(asked, found, resources.now()))
    except Refused as refused:
        raise SystemExit(refused.reason) from None


if __name__ == "__main__":
    main()
