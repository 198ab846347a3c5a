"""What must outlive every deployment: tables, bodies, keys, the public address, the providers' identities."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.nag import accept
from infra.permissions import KEY_USERS
from infra.stage import Stage
from vestnik import topology

KEEP = RemovalPolicy.RETAIN
BODIES_DAYS = 35


class State(Stack):
    """Retained: removing this stack removes the wiring, never a customer's record."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage.named("state"), termination_protection=True, analytics_reporting=False)
        Tags.of(self).add("vestnik", stage.name)
        self.stage = stage
        self.key = self._key()
        self.tables = {table.name: self._table(table) for table in topology.TABLES}
        self.buckets = {name: self._bucket(name) for name in topology.BUCKETS}
        self.topics = {topic.name: self._topic(topic) for topic in topology.TOPICS}
        self.told = {topic.name: list(topic.events) for topic in topology.TOPICS}
        self.link_key = self._link_key()
        self.api = self._api()
        self.ses_configuration_set = self._ses()
        self.sms_configuration_set = "" if "sms-voice" in stage.without else self._sms()
        CfnOutput(self, "PublicUrl", value=self.public_url)

    def _key(self) -> kms.Key:
        key = kms.Key(
            self,
            "key",
            alias=f"vestnik-{self.stage.name}",
            description="Vestnik: customers' data at rest, and the providers' feedback on its way",
            enable_key_rotation=True,
            removal_policy=KEEP,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LetFeedbackAndAlarmsThrough",
                principals=[iam.ServicePrincipal(name) for name in KEY_USERS],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                # No condition on the source account: not each of them names it to KMS. The topics' policies do.
            )
        )
        return key

    def _table(self, table: topology.Table) -> dynamodb.Table:
        made = dynamodb.Table(
            self,
            f"table-{table.name}",
            table_name=self.stage.named(table.name),
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.streamed else None,
            deletion_protection=True,
            removal_policy=KEEP,
        )
        if table.listed:
            made.add_global_secondary_index(
                index_name="list",
                partition_key=_string("list"),
                sort_key=_string("sk"),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
        return made

    def _bucket(self, name: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            f"bucket-{name}",
            bucket_name=self.bucket_name(name),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="as-long-as-the-ledger",
                    expiration=Duration.days(BODIES_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=KEEP,
        )
        accept(bucket, "AwsSolutions-S1", "Only our functions use it; access logs would name customers once more.")
        return bucket

    def bucket_name(self, name: str) -> str:
        """A bucket's name, known without asking for it: all of AWS shares one name space, so the account is in it."""
        return f"{self.stage.named(name)}-{self.account}-{self.region}"

    def _topic(self, topic: topology.Topic) -> sns.Topic:
        made = sns.Topic(
            self,
            f"topic-{topic.name}",
            topic_name=self.stage.named(topic.name),
            master_key=self.key,
            enforce_ssl=True,
        )
        made.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyItsProvider",
                principals=[iam.ServicePrincipal(topic.publisher)],
                actions=["sns:Publish"],
                resources=[made.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return made

    def _link_key(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "link-key",
            secret_name=self.stage.link_key,
            description="Signs the links in messages (unsubscribe). Changing it breaks every link already sent.",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106  (a shape, not a secret)
                generate_string_key="key",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=KEEP,
        )
        accept(secret, "AwsSolutions-SMG4", "Rotation would break the unsubscribe links in mail already delivered.")
        return secret

    def _api(self) -> apigw.CfnApi:
        """The API without its routes. Its address stands in letters already sent, so it is state."""
        api = apigw.CfnApi(
            self,
            "api",
            name=self.stage.named("api"),
            protocol_type="HTTP",
            description="Vestnik",
            disable_execute_api_endpoint=bool(self.stage.domain),
        )
        api.apply_removal_policy(KEEP)
        return api

    @property
    def public_url(self) -> str:
        """The base URL of the API, without a slash at its end."""
        host = self.stage.domain or f"{self.api.ref}.execute-api.{self.region}.{self.url_suffix}"
        return f"https://{host}"

    def _ses(self) -> str:
        name = self.stage.named("mail")
        made = ses.CfnConfigurationSet(
            self,
            "mail",
            name=name,
            reputation_options=ses.CfnConfigurationSet.ReputationOptionsProperty(reputation_metrics_enabled=True),
            sending_options=ses.CfnConfigurationSet.SendingOptionsProperty(sending_enabled=True),
            # Suppression is ours, by shop: the account's list would let one shop's complaints silence another.
            suppression_options=ses.CfnConfigurationSet.SuppressionOptionsProperty(suppressed_reasons=[]),
        )
        topic = self.topics["feedback-ses"]
        events = ses.CfnConfigurationSetEventDestination(
            self,
            "mail-feedback",
            configuration_set_name=made.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="feedback",
                enabled=True,
                matching_event_types=self.told["feedback-ses"],
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=topic.topic_arn
                ),
            ),
        )
        events.node.add_dependency(topic)  # SES tries to publish at once, so the topic's policy comes first
        return name

    def _sms(self) -> str:
        name = self.stage.named("sms")
        topic = self.topics["feedback-sms"]
        made = smsvoice.CfnConfigurationSet(
            self,
            "sms",
            configuration_set_name=name,
            event_destinations=[
                smsvoice.CfnConfigurationSet.EventDestinationProperty(
                    event_destination_name="feedback",
                    enabled=True,
                    matching_event_types=self.told["feedback-sms"],
                    sns_destination=smsvoice.CfnConfigurationSet.SnsDestinationProperty(topic_arn=topic.topic_arn),
                )
            ],
        )
        made.node.add_dependency(topic)
        return name


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
