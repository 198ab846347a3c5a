"""Marketplaces: one folder each, and the folder is the registry. A folder holds data only: `marketplace.json` (hosts,
credentials, limits, schemes), `requests/` (a definition a file), `statuses.json`, `operations.json`, `samples/`."""

from vestnik.marketplaces._shipped import Marketplace, names, samples, shipped

__all__ = ["Marketplace", "names", "samples", "shipped"]
