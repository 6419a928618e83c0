"""What makes loss networks fast on a CPU, each removable."""

import os


def rearranged() -> bool:
    """Whether sums and products may be taken in another order than torch's, where that is faster.

    They may, unless the environment variable LOSSNETS_REARRANGED is 0.
    """
    return os.environ.get("LOSSNETS_REARRANGED") != "0"
