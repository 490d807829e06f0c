"""What the tests of operations share with those of the role."""

from tests.integration.role.conftest import lab

__all__ = ("lab",)
