"""``assert_never``, which closes a ``match``: Python's own, where it has one; ``typing_extensions`` loads slowly."""

import sys

if sys.version_info >= (3, 11):
    from typing import assert_never as assert_never
else:
    from typing_extensions import assert_never as assert_never
