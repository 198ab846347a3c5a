"""Yandex Market: data only. How each file is read is told in docs/add-a-marketplace.md."""
