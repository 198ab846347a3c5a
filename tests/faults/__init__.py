"""Once, provably: the main story and two cycles of the marketplaces under faults in every call they make."""
