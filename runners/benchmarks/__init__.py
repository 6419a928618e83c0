"""The benchmarks by their names on the command line. Standard library only."""

BENCHMARKS = {
    "perceptual-similarity": "lossnets.runners.benchmarks.perceptual_similarity",
    "super-resolution": "lossnets.runners.benchmarks.super_resolution",
    "delineation": "lossnets.runners.benchmarks.delineation",
    "autoencoding": "lossnets.runners.benchmarks.autoencoding",
}
