"""What a process of the local executor does: rows in, how they ended out, until its sweep is gone.

Nothing that takes time is imported before it listens.
"""

from __future__ import annotations

import os
import pickle
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue


def serve(descriptor: int) -> None:
    """Execute what comes through a connection, one after the other; never returns.

    The connection ends with the process at its other end, however that ends, and this one with it.
    """
    connection = Connection(descriptor)
    messages: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    from lossnets.runners.sweeps.executors.executor import execute_row

    while True:
        connection.send(execute_row(*pickle.loads(messages.get())))


def _listen(connection: Connection, messages: SimpleQueue[bytes]) -> None:
    try:
        while True:
            messages.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)  # in the middle of a run: it goes on from its checkpoint
