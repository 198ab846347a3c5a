"""IAM statements from the map: each function's own role, exact actions on exact resources.

A wildcard stands only where AWS offers nothing narrower; it is accepted in cdk-nag with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra import permissions
from infra.nag import accept
from vestnik import topology
from vestnik.topology import FromQueue, FromStream, Function

if TYPE_CHECKING:
    from infra.work import Work

_READ_SECRET = ("kms:Decrypt",)


def role(work: Work, spec: Function, log_group_arn: str) -> iam.Role:
    """The function's role: it may log, use what the map says, be woken, and use the key of what is encrypted."""
    may_log = _allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), [log_group_arn])
    statements = [may_log, *_uses(work, spec), *_woken(work, spec), *_key(work, spec)]
    made = iam.Role(
        work,
        f"role-{spec.name}",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"map": iam.PolicyDocument(statements=statements)},
    )
    for wildcard, reason in _wildcards(work, spec).items():
        accept(made, f"AwsSolutions-IAM5[Resource::{wildcard}]", reason)
    return made


def _wildcards(work: Work, spec: Function) -> dict[str, str]:
    """The wildcards of a role as cdk-nag writes them, each with its reason."""
    words = dict(spec.uses)
    if any(isinstance(wake, FromStream) for wake in spec.wakes):
        words["stream"] = ""
    prefix = "arn:<AWS::Partition>:"
    here = "<AWS::Region>:<AWS::AccountId>:"
    bodies = work.stage.named("bodies") + "-<AWS::AccountId>-<AWS::Region>"
    known = {
        "bucket:bodies": (f"{prefix}s3:::{bodies}/*", "A body's name is made when it is written."),
        "secrets": (
            f"{prefix}secretsmanager:{here}secret:{work.stage.secrets_prefix}*",
            "A shop brings its own senders and so its own secrets; only those below the stage's prefix.",
        ),
        "ses": (f"{prefix}ses:{here}identity/*", "A shop verifies domains of its own while the system runs."),
        "sms-voice": (f"{prefix}sms-voice:{here}*", "Numbers and sender names are rented while the system runs."),
        "stream": ("*", "dynamodb:ListStreams knows no narrower resource."),
    }
    return dict(known[word] for word in words if word in known)


def _uses(work: Work, spec: Function) -> list[iam.PolicyStatement]:
    return [
        statement
        for word, ops in spec.uses.items()
        if (actions := permissions.actions(word, ops))
        for statement in _word(work, word, actions)
    ]


def _word(work: Work, word: str, actions: list[str]) -> list[iam.PolicyStatement]:
    kind, _, name = word.partition(":")
    sid = "Use" + "".join(part.title() for part in word.replace(":", "-").split("-"))
    if kind == "table":
        return [_allow(sid, actions, _table_arns(work, name, actions))]
    if kind == "bucket":
        return _bucket(work, sid, name, actions)
    if kind == "sns":
        # A telephone number has no ARN; this is every resource that is not a topic.
        return [iam.PolicyStatement(sid=sid, actions=actions, not_resources=["arn:*:sns:*:*:*"])]
    return [_allow(sid, actions, _arns(work, kind, name))]


def _table_arns(work: Work, name: str, actions: list[str]) -> list[str]:
    table = arn(work, "dynamodb", f"table/{work.stage.named(name)}")
    listed = next(t.listed for t in topology.TABLES if t.name == name)
    return [table, f"{table}/index/list"] if listed and "dynamodb:Query" in actions else [table]


def _bucket(work: Work, sid: str, name: str, actions: list[str]) -> list[iam.PolicyStatement]:
    bucket = f"arn:{work.partition}:s3:::{work.state.bucket_name(name)}"
    objects = _allow(sid, [a for a in actions if a != "s3:ListBucket"], [f"{bucket}/*"])
    return [objects, _allow(f"{sid}List", ["s3:ListBucket"], [bucket])] if "s3:ListBucket" in actions else [objects]


def _arns(work: Work, kind: str, name: str) -> list[str]:
    if kind == "queue":
        return [work.queues[name].queue_arn]
    if kind == "dead":
        return [work.dead[name].queue_arn]
    if kind == "secrets":
        return [arn(work, "secretsmanager", f"secret:{work.stage.secrets_prefix}*")]
    if kind == "link-key":
        return [work.state.link_key.secret_arn]
    if kind == "ses":
        configuration_set = f"configuration-set/{work.state.ses_configuration_set}"
        return [arn(work, "ses", "identity/*"), arn(work, "ses", configuration_set)]
    if kind == "sms-voice":
        return [arn(work, "sms-voice", "*")]
    raise KeyError(kind)


def _woken(work: Work, spec: Function) -> list[iam.PolicyStatement]:
    """What Lambda does in the function's name to wake it."""
    queues = [work.queues[w.queue].queue_arn for w in spec.wakes if isinstance(w, FromQueue)]
    made = [_allow("Poll", permissions.POLL_QUEUE, queues)] if queues else []
    for wake in spec.wakes:
        if isinstance(wake, FromStream):
            stream = work.state.tables[wake.table].table_stream_arn or ""
            made.append(_allow("ReadStream", permissions.READ_STREAM, [stream]))
            made.append(_allow("FindStream", ("dynamodb:ListStreams",), ["*"]))
            made.append(_allow("NameFailed", ("sqs:SendMessage",), [work.dead[spec.name].queue_arn]))
    return made


def _key(work: Work, spec: Function) -> list[iam.PolicyStatement]:
    """Tables and bodies are read and written with the key, the link key's secret is read with it; a stream too."""
    kinds = {permissions.kind(word) for word in spec.uses}
    streams = any(isinstance(w, FromStream) for w in spec.wakes)
    services = [s for kind, s in (("table", "dynamodb"), ("bucket", "s3")) if kind in kinds]
    made = [_with_key(work, "Key", permissions.USE_KEY, services)] if services else []
    if "link-key" in kinds:
        made.append(_with_key(work, "KeyOfLinks", _READ_SECRET, ["secretsmanager"]))
    # Lambda reads the stream for the function, and says so to KMS under its own name.
    if streams:
        made.append(_allow("KeyOfStream", ("kms:Decrypt",), [work.state.key.key_arn]))
    return made


def _with_key(work: Work, sid: str, actions: tuple[str, ...], services: list[str]) -> iam.PolicyStatement:
    via = [f"{service}.{work.region}.{work.url_suffix}" for service in services]
    return iam.PolicyStatement(
        sid=sid,
        actions=list(actions),
        resources=[work.state.key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": via}},
    )


def _allow(sid: str, actions: list[str] | tuple[str, ...], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=resources)


def arn(stack: Stack, service: str, resource: str) -> str:
    """An ARN by its name, here. Stacks that name things so export nothing, and can be changed one by one."""
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"
