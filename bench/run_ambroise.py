"""The command `ambroise`, by the interpreter that runs the benchmark."""

from ambroise.main import cli

if __name__ == "__main__":
    cli()
