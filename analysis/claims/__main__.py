"""`python -m lossnets.analysis.claims`: compute the severities that are shipped, and write them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.claims.severity import severities, write_severities
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.paper_frames import paper_alone
from lossnets.warehouse.store import Warehouse


def main() -> None:
    """Severities of all claims on the published scores, into `severity.csv`."""
    with tempfile.TemporaryDirectory() as home:
        frames = paper_alone(Frames.read(Warehouse(Path(home))))
    write_severities(severities(Evidence.of(frames)))


if __name__ == "__main__":
    main()
