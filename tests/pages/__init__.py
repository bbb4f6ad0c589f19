"""The pages as such: structure, words of strangers, the stylesheet and its contrasts, the scripts in a real browser."""

import pytest

# Assertions outside of test files tell what they compared, too.
pytest.register_assert_rewrite(f"{__name__}.accessible")
