"""The JavaScript of Vega, Vega-Lite and Vega-Embed, from the installed vl_convert.

Making it takes longer than importing pandas and holds the interpreter, so that a thread would not
help: `started` runs this file in a process of its own, beside the rest of the build.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VEGA_LITE = "6.4"  # what the installed Altair writes

# The bundle declares some thousands of top-level names; inside a function they meet nobody's.
SNIPPET = "window.lossnets = {embed: vegaEmbed, vega: vega, vegaLite: vegaLite};"


def vega_bundle() -> str:
    """One script that sets `window.lossnets` to Vega's parts and leaves no other name."""
    import vl_convert

    script = vl_convert.javascript_bundle(SNIPPET, vl_version=VEGA_LITE)
    return "(function(){" + script.replace("</script", "<\\/script") + "\n})();"


@contextmanager
def started() -> Iterator[Callable[[], str]]:
    """Begin to make the bundle; what it yields waits for it and returns it."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__))], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def bundle() -> str:
        script, complaint = process.communicate()
        if process.returncode:
            raise RuntimeError(f"no Vega bundle: {complaint.decode(errors='replace')}")
        return script.decode("utf-8")

    with process:
        try:
            yield bundle
        finally:
            if process.poll() is None:
                process.kill()


if __name__ == "__main__":
    sys.stdout.buffer.write(vega_bundle().encode("utf-8"))
