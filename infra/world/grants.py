"""What the map lets each function call, and what it really called."""

from collections.abc import Callable, Iterable, Mapping

from infra import permissions
from vestnik import topology

Grant = tuple[str, str, str]  # function, word of the map, SDK operation
Counts = Mapping[tuple[str, str, str, str], int]


def judge(functions: Mapping[str, topology.Function]) -> Callable[[str, str, str, str], bool]:
    """Whether (function, service, operation, resource) is granted. A batch over several tables needs each."""

    def may(function: str, service: str, operation: str, resource: str) -> bool:
        known = functions[function]
        return all(permissions.allowed(known, service, operation, _name(word)) for word in resource.split(","))

    return may


def _name(word: str) -> str:
    """The resource of a word as permissions.allowed wants it."""
    kind, _, name = word.partition(":")
    return f"{name}-dead" if kind == "dead" else name or (word if word == "link-key" else "")


def granted(functions: Iterable[topology.Function]) -> set[Grant]:
    """Every grant of the map; outside calls without IAM (https, smtp) are left out."""
    return {
        (function.name, word, operation)
        for function in functions
        for word, operations in function.uses.items()
        if permissions.WORDS[permissions.kind(word)][0]
        for operation in operations.split()
    }


def called(counts: Counts) -> set[Grant]:
    """What the functions of the map called, from the counts of an HttpLayer."""
    outside = {service: word for word, (service, _) in permissions.WORDS.items() if word in ("ses", "sms-voice", "sns")}
    found: set[Grant] = set()
    for function, service, operation, resource in counts:
        if function not in ("world", "lambda") and service in permissions.services():
            words = [outside[service]] if service in outside else resource.split(",")
            found |= {(function, word, operation) for word in words}
    return found
