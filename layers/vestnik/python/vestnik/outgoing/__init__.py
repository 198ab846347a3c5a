"""Speaking to outside hosts that a shop or a marketplace's definition names: guarded, capped in time and size."""
