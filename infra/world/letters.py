"""Which of our messages a text is, for the providers that carry no id of ours (Telegram, SNS)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from vestnik import channels, plugins
from vestnik.domain.messages import Letter


class Letters:
    """Letters on their way through a channel, from its `send` to the provider's twin."""

    def __init__(self) -> None:
        self._flying: list[Letter] = []

    def message_of(self, to: str, text: str) -> str:
        """The id of the message that this text to this address is; "" where it is none of ours."""
        candidates = [letter for letter in self._flying if not letter.to or letter.to == to]
        exact = [letter for letter in candidates if text in (letter.html, letter.text)]
        return next((letter.message for letter in [*exact, *candidates]), "")

    @contextmanager
    def watched(self, *names: str) -> Iterator[None]:
        """Look over the shoulder of these channels while the block runs."""
        with ExitStack() as stack:
            for name in names:
                module: Any = plugins.load(channels, name)
                if hasattr(module, "send"):
                    stack.enter_context(patch.object(module, "send", self._wrapped(module.send)))
            yield

    def _wrapped(self, send: Any) -> Any:
        def sending(letter: Letter, *args: Any, **more: Any) -> Any:
            self._flying.append(letter)
            try:
                return send(letter, *args, **more)
            finally:
                self._flying.remove(letter)

        return sending
