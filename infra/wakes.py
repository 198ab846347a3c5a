"""What wakes a function, from the map: queues, a table's stream, the clock, the providers' feedback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from infra.grants import arn
from vestnik import topology
from vestnik.topology import FromQueue, FromStream, Function, Http, Schedule

if TYPE_CHECKING:
    from infra.work import Work

RECORD_AGE_SECONDS = 6 * 3600
Mapping = lambda_.CfnEventSourceMapping


def add(work: Work, spec: Function, function: lambda_.Function) -> None:
    """Everything but HTTP, which the edge stack adds."""
    for trigger in spec.wakes:
        match trigger:
            case FromQueue():
                _from_queue(trigger, work, spec, function)
            case FromStream():
                _from_stream(trigger, work, spec, function)
            case Schedule():
                _on_schedule(trigger, work, spec, function)
            case Http():
                pass


def _from_queue(trigger: FromQueue, work: Work, spec: Function, function: lambda_.Function) -> None:
    most = Mapping.ScalingConfigProperty(maximum_concurrency=trigger.concurrency) if trigger.concurrency else None
    Mapping(
        work,
        f"{spec.name}-from-{trigger.queue}",
        function_name=function.function_arn,
        event_source_arn=work.queues[trigger.queue].queue_arn,
        batch_size=trigger.batch,
        maximum_batching_window_in_seconds=trigger.window,
        scaling_config=most,
        function_response_types=["ReportBatchItemFailures"],
    )


def _from_stream(trigger: FromStream, work: Work, spec: Function, function: lambda_.Function) -> None:
    wanted = Mapping.FilterProperty(pattern=json.dumps(trigger.records))
    failed = Mapping.OnFailureProperty(destination=work.dead[spec.name].queue_arn)
    Mapping(
        work,
        f"{spec.name}-from-{trigger.table}",
        function_name=function.function_arn,
        event_source_arn=work.state.tables[trigger.table].table_stream_arn,
        starting_position="TRIM_HORIZON",
        batch_size=trigger.batch,
        maximum_batching_window_in_seconds=trigger.window,
        tumbling_window_in_seconds=trigger.window,
        filter_criteria=Mapping.FilterCriteriaProperty(filters=[wanted]),
        maximum_retry_attempts=trigger.retries,
        maximum_record_age_in_seconds=RECORD_AGE_SECONDS,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        destination_config=Mapping.DestinationConfigProperty(on_failure=failed),
    )


def _on_schedule(trigger: Schedule, work: Work, spec: Function, function: lambda_.Function) -> None:
    # The next tick makes good what this one missed: nothing is kept, nothing repeated.
    once = {"retry_attempts": 0, "max_event_age": Duration.seconds(60)}
    events.Rule(
        work,
        f"schedule-{spec.name}",
        rule_name=work.stage.named(spec.name),
        schedule=events.Schedule.rate(Duration.minutes(trigger.minutes)),
        targets=[targets.LambdaFunction(function, **once)],
    )
    function.configure_async_invoke(**once)


def subscribe_feedback(work: Work) -> None:
    """The providers' topics, delivered raw to their queue. What cannot be delivered goes to its dead letters."""
    for topic in topology.TOPICS:
        topic_arn = arn(work, "sns", work.stage.named(topic.name))
        queue, dead = work.queues[topic.to_queue], work.dead[topic.to_queue]
        for target in (queue, dead):
            target.add_to_resource_policy(_may_deliver(target.queue_arn, topic_arn))
        sns.CfnSubscription(
            work,
            f"{topic.name}-to-{topic.to_queue}",
            topic_arn=topic_arn,
            protocol="sqs",
            endpoint=queue.queue_arn,
            raw_message_delivery=True,
            redrive_policy={"deadLetterTargetArn": dead.queue_arn},
        )


def _may_deliver(queue_arn: str, topic_arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("sns.amazonaws.com")],
        actions=["sqs:SendMessage"],
        resources=[queue_arn],
        conditions={"ArnEquals": {"aws:SourceArn": topic_arn}},
    )
