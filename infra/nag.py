"""Rules of cdk-nag that we do not follow somewhere, each with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import Construct


def accept(where: Construct, rule: str, reason: str) -> None:
    """Accept one finding of one rule below `where`. A rule with several findings names each: `Rule[Finding]`."""
    Validations.of(where).acknowledge(Acknowledgment(id=rule, reason=reason))
