"""Train the zstd dictionary that resource bodies are compressed with.

Usage: python -m tools.train_dictionary NUMBER

A dictionary once used is never changed or removed: bodies in databases need it. To improve it, train the next number
and make it the current one in `ambroise.fhir.store.codec`.
"""

import sys
from pathlib import Path

import zstandard

from ambroise.fhir import json
from tools.fhir_samples import Generator

FOLDER = Path(__file__).parents[1] / "src" / "ambroise" / "fhir" / "store" / "dictionaries"
SIZE = 32 * 1024
SAMPLES = 6_000


def train(number: int) -> bytes:
    """The dictionary with this number, as bytes."""
    samples = [json.encode(resource) for resource in Generator(number).mixture(SAMPLES)]
    return zstandard.train_dictionary(SIZE, samples, dict_id=number, level=9, k=200, d=8, threads=-1).as_bytes()


def measure(dictionary: bytes) -> tuple[int, int]:
    """Bytes before and after, on resources that the training has not seen."""
    compressor = zstandard.ZstdCompressor(level=3, dict_data=zstandard.ZstdCompressionDict(dictionary))
    bodies = [json.encode(resource) for resource in Generator(10_007).mixture(2_000)]
    return sum(map(len, bodies)), sum(len(compressor.compress(body)) for body in bodies)


def main() -> None:
    number = int(sys.argv[1])
    target = FOLDER / f"{number:03}.zstd"
    if target.exists():
        sys.exit(f"{target} exists; a dictionary once committed is never changed: take the next number.")
    dictionary = train(number)
    plain, packed = measure(dictionary)
    FOLDER.mkdir(exist_ok=True)
    target.write_bytes(dictionary)
    print(f"{target.name}: {len(dictionary)} bytes; bodies shrink to {packed / plain:.3f} of their size")


if __name__ == "__main__":
    main()
