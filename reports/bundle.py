"""The JavaScript of Vega, Vega-Lite and Vega-Embed, from the installed vl_convert."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

# The bundle declares some thousands of top-level names; inside a function they meet nobody's.
SNIPPET = "window.lossnets = {embed: vegaEmbed, vega: vega, vegaLite: vegaLite};"


def vega_bundle(vega_lite: str = "6.4") -> str:
    """One script that sets `window.lossnets` to Vega's parts and leaves no other name."""
    import vl_convert

    script = vl_convert.javascript_bundle(SNIPPET, vl_version=vega_lite)
    return "(function(){" + script.replace("</script", "<\\/script") + "\n})();"


def started() -> Future[str]:
    """The bundle, being made in a thread: it takes longer than importing pandas."""
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(vega_bundle)
    pool.shutdown(wait=False)
    return future
