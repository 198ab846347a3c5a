"""The local world: the whole map in one process, on moto, with a clock that can be moved."""

from typing import TYPE_CHECKING, Any

from infra.world.faults import Call, Died, Fault

if TYPE_CHECKING:
    from infra.world.world import World

__all__ = ["Call", "Died", "Fault", "World"]


def __getattr__(name: str) -> Any:
    """`World` only when it is asked for: the twins import from this package, and it imports the twins."""
    if name != "World":
        raise AttributeError(name)
    from infra.world.world import World

    return World
