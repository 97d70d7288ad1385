"""The refusals of a patch, in one vocabulary for both formats."""

from ambroise.kernel.errors import Kind, Refusal


def malformed(diagnostics: str) -> Refusal:
    """The patch document itself is wrong: no resource could be changed by it."""
    return Refusal(Kind.INVALID, "PATCH_MALFORMED", diagnostics)


def not_applicable(diagnostics: str) -> Refusal:
    """The patch is well formed but does not fit this resource."""
    return Refusal(Kind.UNPROCESSABLE, "PATCH_NOT_APPLICABLE", diagnostics)


def test_failed(diagnostics: str) -> Refusal:
    """A `test` operation met another value: nothing was changed."""
    return Refusal(Kind.UNPROCESSABLE, "PATCH_TEST_FAILED", diagnostics)
