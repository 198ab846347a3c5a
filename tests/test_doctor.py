"""The doctor, against canned answers of AWS: what is well, what to know of, what does not work."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from infra import deploy_check, permissions
from infra.deploy_check import CHECKS, Line, examine, let_in, not_offered
from infra.stage import Stage
from vestnik import topology

STAGE = Stage("test")
REGION = "eu-central-1"
Answer = tuple[str, str, Any]


class Account:
    """Clients with canned answers: (service, operation) -> answer, or an error's code."""

    def __init__(self, *answers: Answer) -> None:
        session = botocore.session.get_session()
        self._session, self._answers, self._clients = session, answers, dict[str, Any]()

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._stubbed(service)
        return self._clients[service]

    def _stubbed(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = self._session.create_client(service, region_name=REGION, **keys)
        stubber = Stubber(client)
        for of, operation, answer in self._answers:
            if of == service and isinstance(answer, str):
                stubber.add_client_error(operation, answer)
            elif of == service:
                stubber.add_response(operation, answer)
        stubber.activate()
        return client


def look(check: str, *answers: Answer, stage: Stage = STAGE) -> list[Line]:
    return list(CHECKS[check](Account(*answers), stage))


def marks(lines: list[Line]) -> dict[str, str]:
    return {line.what: line.mark for line in lines}


def ses(*, production: bool = True, status: str = "HEALTHY", rate: float = 50) -> Answer:
    quota = {"MaxSendRate": rate, "Max24HourSend": 50000.0, "SentLast24Hours": 12.0}
    answer = {"ProductionAccessEnabled": production, "SendingEnabled": True, "EnforcementStatus": status}
    return ("sesv2", "get_account", {**answer, "SendQuota": quota})


def sms(tier: str, dollars: int, numbers: int) -> list[Answer]:
    service = "pinpoint-sms-voice-v2"
    limit = {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": dollars, "MaxLimit": 999, "Overridden": False}
    sender = {"SenderId": "Samovar", "SenderIdArn": "a", "IsoCountryCode": "BG", "MessageTypes": ["TRANSACTIONAL"]}
    known = {**sender, "MonthlyLeasingPrice": "0", "DeletionProtectionEnabled": False, "Registered": False}
    return [
        (service, "describe_account_attributes", {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": tier}]}),
        (service, "describe_spend_limits", {"SpendLimits": [limit]}),
        (service, "describe_phone_numbers", {"PhoneNumbers": []}),
        (service, "describe_sender_ids", {"SenderIds": [known] * numbers}),
    ]


def policy(*services: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Resource": "*"}
    return {"Statement": [{**statement, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]}]}


def test_a_production_account_of_ses_is_well() -> None:
    well = {"SES access": "ok", "SES standing": "ok", "SES rate": "ok", "our pace": "ok"}
    assert marks(look("SES account", ses(), stage=Stage("test", ses_rate=50))) == well


def test_a_pace_that_is_not_what_ses_grants_is_told() -> None:
    for rate, stage in ((50, STAGE), (14, Stage("test", ses_rate=50))):
        line = look("SES account", ses(rate=rate), stage=stage)[-1]
        assert (line.mark, line.what) == ("warn", "our pace")
        assert f"ses_rate={rate}:" in line.to_do


def test_the_sandbox_and_a_slow_rate_are_told_with_what_to_do() -> None:
    lines = look("SES account", ses(production=False, rate=1))
    assert marks(lines) == {"SES access": "warn", "SES standing": "ok", "SES rate": "warn", "our pace": "warn"}
    assert "production access" in lines[0].to_do


def test_an_account_that_ses_paused_fails() -> None:
    assert marks(look("SES account", ses(status="SHUTDOWN")))["SES standing"] == "fail"


@pytest.mark.parametrize(
    ("identities", "mark"),
    [
        ([{"IdentityName": "samovar.example", "SendingEnabled": True}], "ok"),
        ([{"IdentityName": "me@samovar.example", "SendingEnabled": True}], "warn"),
        ([{"IdentityName": "samovar.example", "SendingEnabled": False}], "fail"),
        ([], "fail"),
    ],
)
def test_a_verified_domain_is_wanted(identities: list[dict[str, Any]], mark: str) -> None:
    (line,) = look("SES domain", ("sesv2", "list_email_identities", {"EmailIdentities": identities}))
    assert line.mark == mark


def test_sms_in_production_with_money_and_a_sender_is_well() -> None:
    assert set(marks(look("SMS", *sms("PRODUCTION", 200, 1))).values()) == {"ok"}


def test_the_one_dollar_that_every_account_begins_with_is_told() -> None:
    assert set(marks(look("SMS", *sms("SANDBOX", 1, 0))).values()) == {"warn"}


@pytest.mark.parametrize(("limit", "mark"), [(1000, "ok"), (50, "warn"), (10, "fail")])
def test_a_new_accounts_concurrency_of_ten_does_not_do(limit: int, mark: str) -> None:
    answer = ("lambda", "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": limit}})
    (line,) = look("Lambda concurrency", answer)
    assert line.mark == mark


def test_the_map_asks_for_more_runs_than_it_has_functions() -> None:
    assert deploy_check.most_at_a_time() > len(topology.functions())


@pytest.mark.parametrize(
    ("answer", "mark"),
    [({"Parameter": {"Value": "33"}}, "ok"), ({"Parameter": {"Value": "3"}}, "fail"), ("ParameterNotFound", "fail")],
)
def test_an_account_without_the_cdks_own_stack_fails(answer: Any, mark: str) -> None:
    (line,) = look("CDK bootstrap", ("ssm", "get_parameter", answer))
    assert line.mark == mark


@pytest.mark.parametrize(
    ("services", "mark"), [(permissions.KEY_USERS, "ok"), (("sns.amazonaws.com",), "fail")], ids=["all", "one"]
)
def test_a_key_that_shuts_feedback_out_fails(services: tuple[str, ...], mark: str) -> None:
    (line,) = look(
        "key",
        ("kms", "describe_key", {"KeyMetadata": {"KeyId": "k"}}),
        ("kms", "get_key_policy", {"Policy": json.dumps(policy(*services))}),
    )
    assert line.mark == mark


def test_a_key_that_is_not_there_yet_is_no_fault() -> None:
    (line,) = look("key", ("kms", "describe_key", "NotFoundException"))
    assert line.mark == "ok"


def test_a_refusal_in_a_key_policy_lets_nobody_in() -> None:
    refused = policy(*permissions.KEY_USERS)
    refused["Statement"][0]["Effect"] = "Deny"
    assert let_in(refused) == set()


def test_tables_left_by_a_removed_deployment_stand_in_the_way() -> None:
    absent = ("cloudformation", "describe_stacks", "ValidationError")
    (line,) = look("tables", absent, ("dynamodb", "list_tables", {"TableNames": ["vestnik-test-ledger"]}))
    assert (line.mark, line.found) == ("fail", "1 left by a removed deployment")
    (line,) = look("tables", absent, ("dynamodb", "list_tables", {"TableNames": ["vestnik-prod-ledger"]}))
    assert line.mark == "ok"


def test_a_region_without_sms_is_told() -> None:
    assert look("region")[0].mark == "ok"
    offered: dict[str, list[str]] = {"pinpoint-sms-voice-v2": ["us-east-1"]}
    assert not_offered(REGION, lambda name: offered.get(name, [REGION])) == ["pinpoint-sms-voice-v2"]


def test_a_check_that_may_not_look_says_so_and_the_others_go_on() -> None:
    denied = [("sesv2", "get_account", "AccessDeniedException"), ("sesv2", "list_email_identities", "AccessDenied")]
    clients = Account(*denied, *sms("PRODUCTION", 200, 1))
    lines = examine(clients, STAGE, {name: CHECKS[name] for name in ("SES account", "SES domain", "SMS")})
    assert marks(lines)["SES account"] == "warn"
    assert marks(lines)["SMS spend limit"] == "ok"


def test_what_a_stage_leaves_out_is_not_examined() -> None:
    stage = Stage("test", without=frozenset({"sms-voice"}))
    assert examine(Account(), stage, {"SMS": CHECKS["SMS"]}) == []
