"""How deep JSON may be nested where it comes in. What was let in must be shown, copied and rendered for ever after,
and the writers and walkers that do so have limits of their own."""

from vestnik.errors import Refused

DEEPEST = 64
"""Objects and lists inside one another, the outermost counted: of a request's body, or of one event."""

NOISE = bytes(set(range(256)) - set(b'[]{}"'))
ALIKE = bytes.maketrans(b"{}", b"[]")


def check(text: bytes) -> None:
    """Refused `too-deep` where JSON `text` is nested deeper than `DEEPEST`. What is no JSON is another's to tell."""
    if text.count(b"[") + text.count(b"{") > DEEPEST and _is_deep(text):
        raise refusal()


def refusal() -> Refused:
    """What is said of JSON that is nested too deeply."""
    found = f"it is nested more than {DEEPEST} deep; at most {DEEPEST} objects and lists may lie inside one another"
    return Refused(found, code="too-deep")


def _is_deep(text: bytes) -> bool:
    """Without its strings, JSON is brackets; each pass takes the innermost pairs away. Whole texts at once, no step
    for a single character: every larger post comes by here."""
    if b"\\" in text:
        text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = text.translate(ALIKE, NOISE).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return b"[]" in brackets
