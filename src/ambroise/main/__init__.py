"""The composition root: from settings to a running instance. Nothing imports it but the entry point."""


def cli() -> None:
    """The command `ambroise`."""
    import gc

    # Loading the program makes many objects and hardly any garbage: looking for it less often starts faster.
    gc.set_threshold(50_000, 20, 50)

    from ambroise.interfaces.cli import run
    from ambroise.main.builder import InstanceBuilder

    run(InstanceBuilder())
