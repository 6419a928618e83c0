"""The benchmark for tests of sweeps, of which a sweep runs both factors."""

from dataclasses import replace

import made_benchmark

BENCHMARK = replace(made_benchmark.BENCHMARK, swept={"factor": ("4", "8")})
