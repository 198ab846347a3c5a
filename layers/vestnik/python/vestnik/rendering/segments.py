"""Segments: what an SMS is billed by (3GPP TS 23.038 alphabet and 23.040 concatenation)."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """How many parts `text` is sent and billed in: 160 or 153 septets, or 70 or 67 UTF-16 units where it is not GSM."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        return _parts(len(text) + sum(letter in _EXTENDED for letter in text), 160, 153)
    return _parts(len(text.encode("utf-16-be", "surrogatepass")) // 2, 70, 67)


def _parts(size: int, alone: int, together: int) -> int:
    return 1 if size <= alone else -(-size // together)
