"""The local world: the whole map in one process, on moto, with a clock that can be moved."""

from infra.world.faults import Call, Died, Fault
from infra.world.world import World

__all__ = ["Call", "Died", "Fault", "World"]
