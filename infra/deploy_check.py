"""The doctor: is this AWS account ready for a stage? `python -m infra.deploy_check -c stage=dev`, or `make doctor`.

Only reads. Each line says ok, warn or fail, what was found, and what to do; it ends with 1 where a line fails.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from infra import permissions
from infra.stage import Stage, committed_context, from_context, given
from vestnik import topology
from vestnik.channels import email_ses

Clients = Callable[[str], Any]
MARKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}
BOOTSTRAP = ("/cdk-bootstrap/hnb659fds/version", 6)  # the oldest that the CDK's file assets work with
SLOW_MAIL = 10  # messages a second: below it a shop's busy hour queues up
SMALL_SMS_BUDGET = 10  # US dollars a month


@dataclass(frozen=True)
class Line:
    """One finding. `mark`: ok, warn (works, with a limit to know of), fail (does not work)."""

    mark: str
    what: str
    found: str
    to_do: str = ""


Check = Callable[[Clients, Stage], Iterator[Line]]


def account(clients: Clients, stage: Stage) -> Iterator[Line]:
    """Whose account it is, so that nobody deploys into another one."""
    who = clients("sts").get_caller_identity()
    yield Line("ok", "account", f"{who['Account']} as {who['Arn'].rpartition(':')[2]}")


def bootstrap(clients: Clients, stage: Stage) -> Iterator[Line]:
    """The CDK's own bucket and roles."""
    name, oldest = BOOTSTRAP
    to_do = "node_modules/.bin/cdk bootstrap (once for each account and region)"
    try:
        version = int(clients("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        yield Line("fail", "CDK bootstrap", "missing", to_do)
        return
    yield Line("ok" if version >= oldest else "fail", "CDK bootstrap", f"version {version}", to_do)


def mail_account(clients: Clients, stage: Stage) -> Iterator[Line]:
    """SES: out of its sandbox, sending, in good standing, fast enough, and used at the rate it grants."""
    found = clients("sesv2").get_account()
    quota = found["SendQuota"]
    sandbox = not found["ProductionAccessEnabled"]
    ask = "SES console, Account dashboard, Request production access (a day): until then only verified addresses"
    yield Line("warn" if sandbox else "ok", "SES access", "sandbox" if sandbox else "production", ask)
    healthy = found["SendingEnabled"] and found["EnforcementStatus"] == "HEALTHY"
    standing = f"{found['EnforcementStatus']}, sending {'on' if found['SendingEnabled'] else 'off'}"
    yield Line("ok" if healthy else "fail", "SES standing", standing, "answer the case in the AWS Support centre")
    rate = quota["MaxSendRate"]
    pace = f"{rate:g} a second, {quota['Max24HourSend']:g} a day, {quota['SentLast24Hours']:g} sent"
    raise_it = "ask for more under Service Quotas, SES"
    yield Line("ok" if rate >= SLOW_MAIL else "warn", "SES rate", pace, raise_it)
    ours = stage.ses_rate or email_ses.RATE
    keep_it = f"deploy with -c ses_rate={rate:g}: SES refuses what is faster, and what is slower waits for nothing"
    yield Line("ok" if ours == rate else "warn", "our pace", f"{ours:g} mails a second", keep_it)


def mail_identities(clients: Clients, stage: Stage) -> Iterator[Line]:
    """SES: a domain or address that may send."""
    found = clients("sesv2").list_email_identities(PageSize=100)["EmailIdentities"]
    verified = [one["IdentityName"] for one in found if one.get("SendingEnabled")]
    domains = [name for name in verified if "@" not in name]
    to_do = "verify a domain: SES console, Identities; put its three DKIM records and a DMARC record into the DNS"
    shown = ", ".join((domains or verified)[:3]) or f"none of {len(found)} verified"
    yield Line("ok" if domains else "warn" if verified else "fail", "SES domain", shown, to_do)


def texts(clients: Clients, stage: Stage) -> Iterator[Line]:
    """End User Messaging SMS: out of its sandbox, with money to spend and a number or name to send as."""
    sms = clients("pinpoint-sms-voice-v2")
    tier = {a["Name"]: a["Value"] for a in sms.describe_account_attributes()["AccountAttributes"]}.get("ACCOUNT_TIER")
    ask = "End User Messaging console, Overview, Move to production: until then only verified numbers"
    yield Line("ok" if tier == "PRODUCTION" else "warn", "SMS access", (tier or "unknown").lower(), ask)
    limits = {limit["Name"]: limit["EnforcedLimit"] for limit in sms.describe_spend_limits()["SpendLimits"]}
    dollars = limits.get("TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", 0)
    enough = "ok" if dollars >= SMALL_SMS_BUDGET else "warn"
    raise_it = "raise it under Service Quotas, or SetTextMessageSpendLimitOverride within what is granted"
    yield Line(enough, "SMS spend limit", f"{dollars} US dollars a month", raise_it)
    senders = len(sms.describe_phone_numbers()["PhoneNumbers"]) + len(sms.describe_sender_ids()["SenderIds"])
    rent = "request a sender id or number for the countries you text to; some take weeks to register"
    yield Line("ok" if senders else "warn", "SMS origination", f"{senders} numbers and sender ids", rent)


def concurrency(clients: Clients, stage: Stage) -> Iterator[Line]:
    """Lambda: as many runs at a time as the map may ask for."""
    limit = clients("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    wanted = most_at_a_time()
    to_do = f"Service Quotas, Lambda, Concurrent executions: 1000 (all senders at full pace ask for {wanted})"
    mark = "ok" if limit >= wanted else "warn" if limit >= len(topology.functions()) else "fail"
    yield Line(mark, "Lambda concurrency", f"{limit} runs at a time", to_do)


def most_at_a_time() -> int:
    """How many runs the map's queues may ask for together, and one for every other trigger."""
    wakes = [wake for spec in topology.functions() for wake in spec.wakes]
    return sum(getattr(wake, "concurrency", 0) or 1 for wake in wakes)


def regions(clients: Clients, stage: Stage) -> Iterator[Line]:
    """Every service of the map is offered in this region."""
    region = clients("sts").meta.region_name
    missing = not_offered(region, botocore.session.get_session().get_available_regions)
    found = f"{region} has no {', '.join(missing)}" if missing else f"{region} offers all"
    yield Line("warn" if missing else "ok", "region", found, "choose another region, or leave the feature out: without")


def not_offered(region: str, regions_of: Callable[[str], list[str]]) -> list[str]:
    """The services of the map that a region lacks, by their SDK names."""
    asked = {"apigatewayv2", "events", "kms", "lambda", *permissions.services()}
    return sorted(name for name in asked if region not in regions_of(name))


def remains(clients: Clients, stage: Stage) -> Iterator[Line]:
    """Tables kept from a removed deployment stand in the way of a new one of the same name."""
    if deployed(clients, stage):
        yield Line("ok", "tables", "kept by the stack that is there")
        return
    names = clients("dynamodb").list_tables()["TableNames"]
    left = [name for table in topology.TABLES if (name := stage.named(table.name)) in names]
    to_do = "docs/deploy.md, After a removal: import them into the stack, or delete them"
    yield Line("fail" if left else "ok", "tables", f"{len(left)} left by a removed deployment", to_do if left else "")


def deployed(clients: Clients, stage: Stage) -> bool:
    """Whether the stage's state stack is there."""
    try:
        clients("cloudformation").describe_stacks(StackName=stage.named("state"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return True


def key(clients: Clients, stage: Stage) -> Iterator[Line]:
    """The key lets feedback through: else bounces are lost, and nobody is told."""
    kms = clients("kms")
    try:
        id = kms.describe_key(KeyId=f"alias/vestnik-{stage.name}")["KeyMetadata"]["KeyId"]
    except kms.exceptions.NotFoundException:
        yield Line("ok", "key", "none yet; the deployment makes it, with a policy that lets feedback through")
        return
    policy = json.loads(kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"])
    shut_out = sorted(set(permissions.KEY_USERS) - let_in(policy))
    found = f"shuts out {', '.join(shut_out)}" if shut_out else "lets feedback and alarms through"
    yield Line("fail" if shut_out else "ok", "key", found, "deploy anew: the policy is part of the state stack")


def let_in(policy: dict[str, Any]) -> set[str]:
    """The services that a key policy lets decrypt and make data keys."""
    found: set[str] = set()
    for statement in policy["Statement"]:
        actions = {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement["Effect"] == "Allow" and "kms:Decrypt" in actions and "kms:GenerateDataKey*" in actions:
            found |= {services} if isinstance(services, str) else set(services)
    return found


CHECKS: dict[str, Check] = {
    "account": account,
    "region": regions,
    "CDK bootstrap": bootstrap,
    "tables": remains,
    "key": key,
    "SES account": mail_account,
    "SES domain": mail_identities,
    "SMS": texts,
    "Lambda concurrency": concurrency,
}


def examine(clients: Clients, stage: Stage, checks: Mapping[str, Check] = CHECKS) -> list[Line]:
    """Every finding. A check that may not look says so; the others go on."""
    lines: list[Line] = []
    for name, check in checks.items():
        if name == "SMS" and "sms-voice" in stage.without:
            continue
        try:
            lines += list(check(clients, stage))
        except ClientError as error:
            code, about = error.response["Error"]["Code"], error.operation_name
            lines.append(Line("warn", name, f"could not look: {code}", f"allow {about}, or ask someone who may"))
        except BotoCoreError as error:
            lines.append(Line("fail", name, f"could not look: {error}", "check credentials, region and network"))
    return lines


def show(lines: list[Line]) -> None:
    """Print the findings; what to do only where something is."""
    table = Table("", "what", "found", "what to do", title="Is this account ready?")
    for line in lines:
        table.add_row(MARKS[line.mark], line.what, line.found, "" if line.mark == "ok" else line.to_do)
    Console(width=160).print(table)


def main() -> None:
    """Examine the account of the credentials in force."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="as the CDK takes it")
    stage = from_context((committed_context() | given(parser.parse_args().context)).get)
    session = botocore.session.get_session()
    region = session.get_config_variable("region") or parser.error("no AWS region: set AWS_REGION")
    lines = examine(lambda name: session.create_client(name, region_name=region), stage)
    show(lines)
    sys.exit(any(line.mark == "fail" for line in lines))


if __name__ == "__main__":
    main()
