"""The benchmarks by their names on the command line. Standard library only."""

BENCHMARKS = {
    "perceptual-similarity": "runners.perceptual_similarity",
    "super-resolution": "runners.super_resolution",
    "delineation": "runners.delineation",
    "autoencoding": "runners.autoencoding",
}
