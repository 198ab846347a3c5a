"""Benchmarks: speeds, cold starts and cost, each beside a floor or a peer of the same run (`make bench`)."""
