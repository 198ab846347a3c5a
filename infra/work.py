"""What works: queues, and functions each with exactly the rights and variables that the map grants."""

from collections.abc import Callable
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import grants, permissions, wakes, watch
from infra.nag import accept
from infra.stage import Stage
from infra.state import State
from vestnik import topology

LOG_RETENTION = logs.RetentionDays.ONE_MONTH
DEAD_DAYS = Duration.days(14)
LAYERS = ("vendor-arm64", "vestnik", "templates")


class Work(Stack):
    """Queues and functions. `assets`: the folders of the layers and of the doors, by name (infra.layers)."""

    def __init__(self, scope: Construct, stage: Stage, state: State, assets: dict[str, Path]) -> None:
        super().__init__(scope, stage.named("work"), analytics_reporting=False)
        Tags.of(self).add("vestnik", stage.name)
        accept(self, "AwsSolutions-L1", "python3.13 is what the locks, the layers' wheels and the tests are made for.")
        self.stage, self.state = stage, state
        self.add_stack_dependency(state)
        self.dead = {name: self._dead_letters(name) for name in dead_letter_queues()}
        self.queues = {queue.name: self._queue(queue) for queue in topology.queues()}
        self.layers = [self._layer(name, assets[name]) for name in LAYERS]
        self.code = lambda_.Code.from_asset(str(assets["functions"]))
        self.functions = {spec.name: self._function(spec) for spec in topology.functions()}
        wakes.subscribe_feedback(self)
        watch.add_alarms(self)
        watch.add_dashboard(self)

    def _dead_letters(self, name: str) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            f"queue-{name}-dead",
            queue_name=self.stage.named(f"{name}-dead"),
            retention_period=DEAD_DAYS,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(queue, "AwsSolutions-SQS3", "It is itself the end of the line.")
        return queue

    def _queue(self, queue: topology.Queue) -> sqs.Queue:
        return sqs.Queue(
            self,
            f"queue-{queue.name}",
            queue_name=self.stage.named(queue.name),
            visibility_timeout=Duration.seconds(queue.visibility),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead[queue.name], max_receive_count=queue.receives),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _layer(self, name: str, folder: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            f"layer-{name}",
            layer_version_name=self.stage.named(name),
            code=lambda_.Code.from_asset(str(folder)),
            compatible_architectures=[lambda_.Architecture.ARM_64],
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
        )

    def _function(self, spec: topology.Function) -> lambda_.Function:
        name = self.stage.named(spec.name)
        log = self._log(spec.name, name)
        made = lambda_.Function(
            self,
            f"function-{spec.name}",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"functions.{spec.door}.handler",
            code=self.code,
            layers=self.layers,
            memory_size=spec.memory,
            timeout=Duration.seconds(spec.timeout),
            environment=permissions.environment(spec, self._value) | permissions.pace(spec, self.stage.rates),
            log_group=log,
            # Lambda's own lines only of runs that failed: what we print is JSON, and stays as it is.
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            role=grants.role(self, spec, log.log_group_arn),
        )
        wakes.add(self, spec, made)
        return made

    def _log(self, name: str, function_name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            f"log-{name}",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _value(self, word: str) -> str:
        kind, _, name = word.partition(":")
        named: dict[str, Callable[[], str]] = {
            "table": lambda: self.stage.named(name),
            "bucket": lambda: self.state.bucket_name(name),
            "queue": lambda: self.queues[name].queue_url,
            "dead": lambda: self.dead[name].queue_url,
            "stage": lambda: self.stage.name,
            "public-url": lambda: self.state.public_url,
            "secrets": lambda: self.stage.secrets_prefix,
            "link-key": lambda: self.stage.link_key,
            "ses": lambda: self.state.ses_configuration_set,
            "sms-voice": lambda: self.state.sms_configuration_set,
        }
        return named[kind]()


def dead_letter_queues() -> list[str]:
    """What has a dead-letter queue: every queue, and every function that reads a stream."""
    readers = [f.name for f in topology.functions() if any(isinstance(w, topology.FromStream) for w in f.wakes)]
    return [queue.name for queue in topology.queues()] + readers
