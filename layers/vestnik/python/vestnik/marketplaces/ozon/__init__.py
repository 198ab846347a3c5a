"""Ozon: Seller API, https://docs.ozon.ru/api/seller/ (data only)."""
