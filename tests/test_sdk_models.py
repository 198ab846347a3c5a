"""The SDK's descriptions in the layers: fewer operations and no words, and the same calls."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import moto
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from infra import permissions, sdk_models

DATA = Path(botocore.__file__).parent / "data"


def whole(service: str) -> dict[str, Any]:
    newest = max((DATA / service).glob("*/service-2.json.gz"))
    model: dict[str, Any] = json.loads(gzip.decompress(newest.read_bytes()))
    return model


def without_words(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name != "documentation" or not isinstance(one, str)}
        return {name: without_words(one) for name, one in kept.items()}
    return [without_words(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("service", sorted(permissions.services()))
def test_every_operation_of_the_map_is_described_as_before(service: str) -> None:
    model, wanted = whole(service), permissions.operations(service)
    found = sdk_models.trimmed(model, wanted)
    assert found["operations"].keys() == wanted
    for name in wanted:
        assert found["operations"][name] == without_words(model["operations"][name])
    for name, shape in found["shapes"].items():
        assert shape == without_words(model["shapes"][name])
    for name in wanted:  # a shape left out would be missed here
        read = ServiceModel(found, service).operation_model(name)
        assert read.input_shape is None or list(_all(read.input_shape, set()))
        assert read.output_shape is None or list(_all(read.output_shape, set()))


def _all(shape: Any, seen: set[str]) -> set[str]:
    """The names of all shapes below one."""
    if shape.name not in seen:
        seen.add(shape.name)
        below = [*getattr(shape, "members", {}).values()]
        below += [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
        for one in below:
            _all(one, seen)
    return seen


def test_errors_stay_though_no_operation_names_them() -> None:
    shapes = sdk_models.trimmed(whole("s3"), {"PutObject"})["shapes"]
    assert "NoSuchBucket" in shapes
    assert "CreateBucketRequest" not in shapes


def test_a_member_called_documentation_is_kept_and_words_on_it_are_not() -> None:
    member = {"documentation": {"shape": "Text", "documentation": "<p>What it says</p>"}}
    shapes = {"Thing": {"type": "structure", "members": member}, "Text": {"type": "string", "documentation": "x"}}
    operations = {"Get": {"name": "Get", "input": {"shape": "Thing"}, "documentation": "<p>Gets</p>"}}
    found = sdk_models.trimmed({"operations": operations, "shapes": shapes}, {"Get"})
    assert found["shapes"] == {
        "Thing": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
        "Text": {"type": "string"},
    }
    assert found["operations"] == {"Get": {"name": "Get", "input": {"shape": "Thing"}}}


@moto.mock_aws
def test_clients_made_of_them_work_and_know_their_errors(tmp_path: Path) -> None:
    for name in ("endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"):
        shutil.copy(DATA / name, tmp_path)
    for service in ("s3", "sqs"):
        shutil.copytree(DATA / service, tmp_path / service)
    sdk_models.trim(tmp_path)
    session = botocore.session.get_session()
    session.register_component(
        "data_loader", Loader(extra_search_paths=[str(tmp_path)], include_default_search_paths=False)
    )
    s3: Any = session.create_client("s3", region_name="us-east-1")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="none", Key="a", Body=b"b")
    assert not hasattr(s3, "create_bucket")
    sqs: Any = session.create_client("sqs", region_name="us-east-1")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")
