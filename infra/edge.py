"""The edge: routes of the HTTP API, who may pass (the authorizer), how many, and a log of who came."""

import json

from aws_cdk import CfnOutput, RemovalPolicy, Stack, Tags
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.grants import arn
from infra.nag import accept
from infra.stage import Stage
from infra.state import State
from infra.work import LOG_RETENTION, Work
from vestnik import topology
from vestnik.topology import Function, Http

# How long a key's answer is kept: a key made or revoked is in force everywhere after this many seconds.
KEY_CACHE_SECONDS = 60
# Compact: of single posts it is the greater part of what is logged. The time stands beside each line of a log.
ACCESS_LOG = {
    "id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "problem": "$context.error.message",
    "key": "$context.authorizer.key",
    "shop": "$context.authorizer.shop",
    "ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
}


class Edge(Stack):
    """Routes, authorizer and stage of the API whose address the state stack keeps."""

    def __init__(self, scope: Construct, stage: Stage, state: State, work: Work) -> None:
        super().__init__(scope, stage.named("edge"), analytics_reporting=False)
        Tags.of(self).add("vestnik", stage.name)
        self.stage, self.api = stage, state.api
        self.add_stack_dependency(work)
        self.authorizer = self._authorizer()
        for spec in topology.functions():
            self._routes(spec)
        self._stage()
        if stage.domain:
            self._domain()

    def _authorizer(self) -> apigw.CfnAuthorizer:
        spec = next(f for f in topology.functions() if f.authorizer)
        made = apigw.CfnAuthorizer(
            self,
            "authorizer",
            api_id=self.api.ref,
            name=spec.name,
            authorizer_type="REQUEST",
            authorizer_uri=self._invocation(spec),
            authorizer_payload_format_version="2.0",
            enable_simple_responses=True,
            identity_source=["$request.header.Authorization"],
            authorizer_result_ttl_in_seconds=KEY_CACHE_SECONDS,
        )
        self._may_invoke(spec, f"authorizers/{made.ref}")
        return made

    def _routes(self, spec: Function) -> None:
        routes = [wake for wake in spec.wakes if isinstance(wake, Http)]
        if not routes:
            return
        integration = apigw.CfnIntegration(
            self,
            f"integration-{spec.name}",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=self._arn_of(spec),
            payload_format_version="2.0",
        )
        for route in routes:
            self._route(route, integration)
        self._may_invoke(spec, "*/*")

    def _route(self, route: Http, integration: apigw.CfnIntegration) -> None:
        key = f"{route.method} {route.path}"
        made = apigw.CfnRoute(
            self,
            f"route {key}",
            api_id=self.api.ref,
            route_key=key,
            target=f"integrations/{integration.ref}",
            authorization_type="NONE" if route.open else "CUSTOM",
            authorizer_id=None if route.open else self.authorizer.ref,
        )
        if route.open:
            accept(
                made,
                "AwsSolutions-APIG4",
                "Open by the map: the API document, or a link that is itself signed.",
            )

    def _stage(self) -> None:
        log = logs.LogGroup(
            self,
            "access",
            log_group_name=f"/aws/apigateway/{self.stage.named('api')}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.default_stage = apigw.CfnStage(
            self,
            "stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps(ACCESS_LOG, separators=(",", ":"))
            ),
            default_route_settings=apigw.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=self.stage.rate, throttling_burst_limit=self.stage.burst
            ),
        )

    def _domain(self) -> None:
        """The API's own name; its owner points a CNAME (or alias) at the output `PublicTarget`."""
        settings = apigw.CfnDomainName.DomainNameConfigurationProperty(
            certificate_arn=self.stage.certificate, endpoint_type="REGIONAL", security_policy="TLS_1_2"
        )
        name = apigw.CfnDomainName(self, "domain", domain_name=self.stage.domain, domain_name_configurations=[settings])
        mapping = apigw.CfnApiMapping(
            self, "mapping", api_id=self.api.ref, domain_name=name.ref, stage=self.default_stage.stage_name
        )
        mapping.add_dependency(self.default_stage)
        CfnOutput(self, "PublicTarget", value=name.attr_regional_domain_name)

    def _may_invoke(self, spec: Function, what: str) -> None:
        """Let this API, and no other, run a function."""
        lambda_.CfnPermission(
            self,
            f"invoke-{spec.name}",
            action="lambda:InvokeFunction",
            function_name=self._arn_of(spec),
            principal="apigateway.amazonaws.com",
            source_arn=arn(self, "execute-api", f"{self.api.ref}/{what}"),
        )

    def _arn_of(self, spec: Function) -> str:
        return arn(self, "lambda", f"function:{self.stage.named(spec.name)}")

    def _invocation(self, spec: Function) -> str:
        path = f"2015-03-31/functions/{self._arn_of(spec)}/invocations"
        return f"arn:{self.partition}:apigateway:{self.region}:lambda:path/{path}"
