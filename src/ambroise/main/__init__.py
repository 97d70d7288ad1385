"""The composition root: from settings to a running instance. Nothing imports it but the entry point."""


def cli() -> None:
    """The command `ambroise`."""
    from ambroise.kernel.garbage import collect_rarely

    # Before the program is loaded: that makes many objects.
    collect_rarely()

    from ambroise.interfaces.cli import run
    from ambroise.main.builder import InstanceBuilder

    run(InstanceBuilder())
