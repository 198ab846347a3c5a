"""The stacks: what the map says is what the templates hold, and nothing more may be done than the map grants."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra import permissions
from infra.app import add_stacks, spoken
from infra.edge import KEY_CACHE_SECONDS
from infra.stage import Stage, committed_context, from_context
from infra.world import World
from vestnik import events, topology
from vestnik.topology import FromQueue, Http

pytestmark = pytest.mark.slow

MOST_RESOURCES = 400
ASSETS = ("vendor-arm64", "vestnik", "templates", "functions")
Resources = dict[str, dict[str, Any]]


def synthesized(stage: Stage, folder: Path) -> dict[str, Resources]:
    """The resources of each stack. The layers' content is no matter here: a file stands for each."""
    assets = {name: folder / name for name in ASSETS}
    for name, path in assets.items():
        path.mkdir(exist_ok=True)
        (path / "content").write_text(name)
    app = App(outdir=str(folder / f"out-{stage.name}"))
    stacks = add_stacks(app, stage, assets)
    return {type(s).__name__.lower(): Template.from_stack(s).to_json()["Resources"] for s in stacks}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    return synthesized(Stage(name="test"), tmp_path_factory.mktemp("stacks"))


def of_type(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [r for r in resources.values() if r["Type"] == kind]


def functions(stacks: dict[str, Resources]) -> dict[str, dict[str, Any]]:
    made = of_type(stacks["work"], "AWS::Lambda::Function")
    return {f["Properties"]["FunctionName"].removeprefix("vestnik-test-"): f["Properties"] for f in made}


def statements(stacks: dict[str, Resources]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(function, statement) of every role."""
    for id, role in stacks["work"].items():
        if role["Type"] == "AWS::IAM::Role":
            for policy in role["Properties"]["Policies"]:
                yield from ((id, statement) for statement in policy["PolicyDocument"]["Statement"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_each_stack_stays_far_from_cloudformations_limit(stacks: dict[str, Resources]) -> None:
    assert {name: len(resources) < MOST_RESOURCES for name, resources in stacks.items()} == {
        "state": True,
        "work": True,
        "edge": True,
    }


def test_every_function_of_the_map_runs_on_arm_with_its_variables_and_layers(stacks: dict[str, Resources]) -> None:
    made = functions(stacks)
    assert made.keys() == {spec.name for spec in topology.functions()}
    for spec in topology.functions():
        properties = made[spec.name]
        assert properties["Architectures"] == ["arm64"]
        assert properties["Runtime"] == "python3.13"
        assert properties["Handler"] == f"functions.{spec.door}.handler"
        assert (properties["MemorySize"], properties["Timeout"]) == (spec.memory, spec.timeout)
        assert len(properties["Layers"]) == 3
        wanted = permissions.environment(spec, str).keys()
        assert properties["Environment"]["Variables"].keys() == wanted


def test_no_function_is_told_of_another_end_point_than_the_real_one(stacks: dict[str, Resources]) -> None:
    text = json.dumps(stacks)
    for word in ("AWS_ENDPOINT_URL", "AWS_IGNORE", "127.0.0.1", "localhost", "VESTNIK_LOCAL", "_local"):
        assert word not in text


def test_no_role_holds_an_action_with_a_wildcard(stacks: dict[str, Resources]) -> None:
    actions = {action for _, s in statements(stacks) for action in listed(s["Action"])}
    assert actions
    assert not [action for action in actions if "*" in action]


def test_a_role_reaches_everything_only_where_aws_offers_nothing_narrower(stacks: dict[str, Resources]) -> None:
    open_to_all = {a for _, s in statements(stacks) if s.get("Resource") == "*" for a in listed(s["Action"])}
    assert open_to_all == {"dynamodb:ListStreams"}
    (number,) = {json.dumps(s["NotResource"]) for _, s in statements(stacks) if "NotResource" in s}
    assert number == '"arn:*:sns:*:*:*"'


def test_the_roles_hold_exactly_what_the_map_grants(stacks: dict[str, Resources]) -> None:
    beside = {"logs", "kms"}
    for spec in topology.functions():
        id = "role" + spec.name.replace("-", "")
        held = {a for role, s in statements(stacks) if role.startswith(id) for a in listed(s["Action"])}
        wanted = {action for word, ops in spec.uses.items() for action in permissions.actions(word, ops)}
        if any(isinstance(wake, FromQueue) for wake in spec.wakes):
            wanted |= set(permissions.POLL_QUEUE)
        if any(isinstance(wake, topology.FromStream) for wake in spec.wakes):
            wanted |= {*permissions.READ_STREAM, "dynamodb:ListStreams", "sqs:SendMessage"}
        assert {a for a in held if a.partition(":")[0] not in beside} == wanted, spec.name


def test_every_queue_has_dead_letters_that_keep_two_weeks_and_raise_an_alarm(stacks: dict[str, Resources]) -> None:
    made = {q["Properties"]["QueueName"]: q["Properties"] for q in of_type(stacks["work"], "AWS::SQS::Queue")}
    alarms = {a["Properties"]["AlarmName"] for a in of_type(stacks["work"], "AWS::CloudWatch::Alarm")}
    for queue in topology.queues():
        assert "RedrivePolicy" in made[f"vestnik-test-{queue.name}"]
        assert made[f"vestnik-test-{queue.name}-dead"]["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert f"vestnik-test-{queue.name}-dead" in alarms
    assert all(properties["SqsManagedSseEnabled"] for properties in made.values())


def test_a_proven_double_rings_an_alarm(stacks: dict[str, Resources], capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = [f["Properties"] for f in of_type(stacks["work"], "AWS::Logs::MetricFilter")]
    (change,) = found["MetricTransformations"]
    alarms = [a["Properties"] for a in of_type(stacks["work"], "AWS::CloudWatch::Alarm")]
    (alarm,) = [alarm for alarm in alarms if alarm.get("MetricName") == change["MetricName"]]
    assert (alarm["Namespace"], alarm["Threshold"]) == (change["MetricNamespace"], 0)
    log = stacks["work"][found["LogGroupName"]["Ref"]]
    assert log["Properties"]["LogGroupName"] == "/aws/lambda/vestnik-test-record-outcomes"
    said = {line["event"] for line in what_a_double_logs(capsys)}
    assert [word for word in said if found["FilterPattern"] == f'{{ $.event = "{word}" }}'] == ["sent-twice"]


def what_a_double_logs(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines of the local world's log where SES tells of one message under two ids."""

    def doubled(topic: str, delay: timedelta, event: dict[str, Any]) -> list[tuple[timedelta, dict[str, Any]]]:
        return [(delay, event), (delay, {**event, "mail": {**event["mail"], "messageId": "another"}})]

    with World(start=datetime(2026, 11, 20, 9, 30, tzinfo=UTC)) as world:
        world.feedback = doubled
        world.request("POST", "/v1/events", body=events.find("customer.password_changed").SAMPLE)  # type: ignore[union-attr]
        world.settle()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_every_source_reports_failed_items_and_the_stream_does_not_block(stacks: dict[str, Resources]) -> None:
    sources = [s["Properties"] for s in of_type(stacks["work"], "AWS::Lambda::EventSourceMapping")]
    assert all(source["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for source in sources)
    (stream,) = [source for source in sources if "StartingPosition" in source]
    assert stream["TumblingWindowInSeconds"] >= 1
    assert stream["BisectBatchOnFunctionError"]
    assert 0 < stream["MaximumRetryAttempts"] < 100
    assert "OnFailure" in stream["DestinationConfig"]
    assert "REMOVE" not in json.dumps(stream["FilterCriteria"])


def test_tables_expire_recover_and_outlive_the_stack_under_a_key_of_our_own(stacks: dict[str, Resources]) -> None:
    tables = of_type(stacks["state"], "AWS::DynamoDB::Table")
    assert {t["Properties"]["TableName"] for t in tables} == {f"vestnik-test-{t.name}" for t in topology.TABLES}
    for table in tables:
        properties = table["Properties"]
        assert table["DeletionPolicy"] == "Retain"
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert properties["SSESpecification"]["KMSMasterKeyId"]
    (key,) = of_type(stacks["state"], "AWS::KMS::Key")
    assert key["Properties"]["EnableKeyRotation"]


def test_feedback_passes_the_key_and_only_the_provider_may_publish_it(stacks: dict[str, Resources]) -> None:
    (key,) = of_type(stacks["state"], "AWS::KMS::Key")
    through = json.dumps(key["Properties"]["KeyPolicy"])
    policies = [json.dumps(p["Properties"]) for p in of_type(stacks["state"], "AWS::SNS::TopicPolicy")]
    for topic in topology.TOPICS:
        assert f'"{topic.publisher}"' in through
        assert sum(f'"{topic.publisher}"' in policy for policy in policies) == 1
    assert '"events.amazonaws.com"' in through


def test_bodies_are_private_encrypted_and_gone_with_the_ledger(stacks: dict[str, Resources]) -> None:
    (bucket,) = of_type(stacks["state"], "AWS::S3::Bucket")
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert [rule["ExpirationInDays"] for rule in properties["LifecycleConfiguration"]["Rules"]] == [35]
    assert "VersioningConfiguration" not in properties  # erasing a person must erase
    (policy,) = of_type(stacks["state"], "AWS::S3::BucketPolicy")
    assert "aws:SecureTransport" in json.dumps(policy)


def test_only_the_routes_that_the_map_opens_need_no_key(stacks: dict[str, Resources]) -> None:
    routes = [w for spec in topology.functions() for w in spec.wakes if isinstance(w, Http)]
    made = {r["Properties"]["RouteKey"]: r["Properties"] for r in of_type(stacks["edge"], "AWS::ApiGatewayV2::Route")}
    assert {key: p["AuthorizationType"] for key, p in made.items()} == {
        f"{route.method} {route.path}": "NONE" if route.open else "CUSTOM" for route in routes
    }
    (authorizer,) = of_type(stacks["edge"], "AWS::ApiGatewayV2::Authorizer")
    assert authorizer["Properties"]["AuthorizerResultTtlInSeconds"] == KEY_CACHE_SECONDS <= 60


def test_logs_are_kept_a_month_and_everyone_is_throttled(stacks: dict[str, Resources]) -> None:
    logs = [log for s in stacks.values() for log in of_type(s, "AWS::Logs::LogGroup")]
    assert len(logs) == len(topology.functions()) + 1
    assert {log["Properties"]["RetentionInDays"] for log in logs} == {30}
    (stage,) = of_type(stacks["edge"], "AWS::ApiGatewayV2::Stage")
    assert stage["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0


def test_a_feature_left_out_takes_nothing_else_with_it(
    stacks: dict[str, Resources], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage = Stage(name="test", without=frozenset({"sms-voice"}))
    less = synthesized(stage, tmp_path_factory.mktemp("less"))
    gone = {name: stacks[name].keys() - less[name].keys() for name in stacks}
    assert [stacks["state"][id]["Type"] for id in gone["state"]] == ["AWS::SMSVOICE::ConfigurationSet"]
    assert not gone["work"]
    assert not gone["edge"]


def test_an_own_domain_becomes_the_public_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    stage = Stage(
        name="test", domain="api.shop.example", certificate="arn:aws:acm:eu-west-1:111122223333:certificate/a"
    )
    made = synthesized(stage, tmp_path_factory.mktemp("domain"))
    variables = functions(made)["serve-public"]["Environment"]["Variables"]
    assert variables["PUBLIC_URL"] == "https://api.shop.example"
    assert len(of_type(made["edge"], "AWS::ApiGatewayV2::ApiMapping")) == 1


def test_the_accounts_rates_reach_their_senders_and_nobody_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = synthesized(Stage(name="test", ses_rate=50, sms_rate=0.5), tmp_path_factory.mktemp("rates"))
    told = {name: f["Environment"]["Variables"].get("RATE") for name, f in functions(made).items()}
    assert {name: float(rate) for name, rate in told.items() if rate} == {"send-email-ses": 50, "send-sms-eum": 0.5}


def test_the_command_line_adds_to_what_cdk_json_says() -> None:
    context = committed_context() | spoken(["-c", "stage=prod", "--context", "without=sms-voice"])
    stage = from_context(context.get)
    assert (stage.name, stage.without, stage.rate) == ("prod", frozenset({"sms-voice"}), 1000)


@pytest.mark.parametrize("wrong", [{"without": "telegraph"}, {"domain": "api.shop.example"}, {"ses_rate": "-1"}])
def test_a_stage_that_contradicts_itself_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"without|domain|rate"):
        from_context(wrong.get)
