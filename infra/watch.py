"""Alarms and the dashboard. An alarm costs $0.10 a metric and month, so each one must name something to do.

Errors and throttles are watched over the whole account (one account is one stage): two alarms instead of thirty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from vestnik import topology
from vestnik.flows.outcomes import SENT_TWICE
from vestnik.topology import FromStream

if TYPE_CHECKING:
    from infra.work import Work

OLDEST_SECONDS = 300
ITERATOR_AGE_SECONDS = 600
# Where SES puts an account under review: 5 % bounced, 0.1 % complained. We speak up before.
BOUNCED, COMPLAINED = 0.03, 0.0008
FIVE_MINUTES = Duration.minutes(5)


def add_alarms(work: Work) -> None:
    """Dead letters, waiting too long, failing functions, a lagging count, a proven double, the sender's reputation."""
    topic = _topic(work)
    for name, metric, above, meaning in _watched(work):
        alarm = cloudwatch.Alarm(
            work,
            f"alarm-{name}",
            alarm_name=work.stage.named(name),
            alarm_description=meaning,
            metric=metric,
            threshold=above,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))


def _topic(work: Work) -> sns.Topic:
    topic = sns.Topic(
        work,
        "alarms",
        topic_name=work.stage.named("alarms"),
        master_key=work.state.key,
        enforce_ssl=True,
    )
    topic.apply_removal_policy(RemovalPolicy.DESTROY)
    if work.stage.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(work.stage.alarm_email))
    return topic


def _watched(work: Work) -> list[tuple[str, cloudwatch.Metric, float, str]]:
    """(name, metric, the value above which it alarms, what to do)."""
    return [*_dead(work), *_waiting(work), *_running(work), _doubles(work), *_reputation()]


def _dead(work: Work) -> list[tuple[str, cloudwatch.Metric, float, str]]:
    meaning = "Messages that failed again and again: look at them with GET /v1/dead-letters, redrive or discard."
    return [
        (f"{name}-dead", queue.metric_approximate_number_of_messages_visible(statistic="max"), 0, meaning)
        for name, queue in work.dead.items()
    ]


def _waiting(work: Work) -> list[tuple[str, cloudwatch.Metric, float, str]]:
    """Only queues whose wait a person notices; mailings wait by design."""
    meaning = f"Messages wait more than {OLDEST_SECONDS} s: is the function throttled, or its provider down?"
    return [
        (f"{name}-waits", work.queues[name].metric_approximate_age_of_oldest_message(), OLDEST_SECONDS, meaning)
        for name in ("to-evaluate", *topology.send_queues())
        if not name.endswith("-marketing")
    ]


def _running(work: Work) -> list[tuple[str, cloudwatch.Metric, float, str]]:
    late = "Statistics lag behind the ledger: read the function's log; what it gave up is in its dead letters."
    lag = [
        (f"{spec.name}-lags", _iterator_age(work, spec.name), ITERATOR_AGE_SECONDS * 1000, late)
        for spec in topology.functions()
        if any(isinstance(wake, FromStream) for wake in spec.wakes)
    ]
    return [
        ("errors", _account_metric("Errors"), 3, "Functions fail: the dashboard says which, its log says why."),
        ("throttles", _account_metric("Throttles"), 100, "Runs were refused: raise the account's Lambda concurrency."),
        *lag,
    ]


def _doubles(work: Work) -> tuple[str, cloudwatch.Metric, float, str]:
    """Lines of the function that records feedback; the metric costs something only in months that have one."""
    found = logs.MetricFilter(
        work,
        SENT_TWICE,
        log_group=work.functions["record-outcomes"].log_group,
        filter_pattern=logs.FilterPattern.string_value("$.event", "=", SENT_TWICE),
        metric_namespace="Vestnik",
        metric_name=work.stage.named(SENT_TWICE),
    )
    meaning = "Somebody got a message twice, its provider's two ids prove it: the log of record-outcomes names it."
    return SENT_TWICE, found.metric(statistic="sum", period=FIVE_MINUTES), 0, meaning


def _reputation() -> list[tuple[str, cloudwatch.Metric, float, str]]:
    meaning = "Near the rate at which SES stops an account: find the shop in /v1/statistics and stop its mailing."
    return [
        ("bounces", _ses_metric("Reputation.BounceRate"), BOUNCED, meaning),
        ("complaints", _ses_metric("Reputation.ComplaintRate"), COMPLAINED, meaning),
    ]


def _account_metric(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace="AWS/Lambda", metric_name=name, statistic="sum", period=FIVE_MINUTES)


def _ses_metric(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace="AWS/SES", metric_name=name, statistic="avg", period=Duration.hours(1))


def _iterator_age(work: Work, function: str) -> cloudwatch.Metric:
    return work.functions[function].metric("IteratorAge", statistic="max", period=FIVE_MINUTES)


def add_dashboard(work: Work) -> None:
    """One page: what comes in, what waits, what runs and fails, what died. The first three of an account are free."""
    board = cloudwatch.Dashboard(work, "dashboard", dashboard_name=work.stage.named("overview"))
    board.add_widgets(
        _graph("Waiting", [q.metric_approximate_number_of_messages_visible() for q in work.queues.values()]),
        _graph("Dead letters", [q.metric_approximate_number_of_messages_visible() for q in work.dead.values()]),
    )
    board.add_widgets(
        _graph("Runs", [f.metric_invocations() for f in work.functions.values()]),
        _graph("Errors", [f.metric_errors() for f in work.functions.values()]),
        _graph("Duration, p95", [f.metric_duration(statistic="p95") for f in work.functions.values()]),
    )
    board.add_widgets(
        _graph("Oldest message", [q.metric_approximate_age_of_oldest_message() for q in work.queues.values()]),
        _graph("Mail reputation", [_ses_metric(f"Reputation.{n}Rate") for n in ("Bounce", "Complaint")]),
    )


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=8, height=6)
