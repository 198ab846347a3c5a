"""Once, provably: the main story under every fault in every call it makes."""
