"""A connection to Ray: to a cluster that is there, or to a Ray of its own on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lossnets.warehouse.errors import UserError

ANSWER_WITHIN_S = 5.0
OBJECT_STORE_BYTES = 200 * 2**20  # what comes back from runs is taken out as it comes
HINT = "ray start --head, then --address auto"


class Connection:
    """To Ray, from when it is made until it is closed; that of this process, where it has one.

    Errors: UserError where Ray does not start or does not let this process in.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.ray = imported()
        self._folder: str | None = None
        self._ours = not self.ray.is_initialized()
        if not self._ours:
            return
        try:
            self._context = self.ray.init(log_to_driver=False, logging_level="ERROR", **options)
        except Exception as error:  # of many kinds
            said = str(error).strip().split("\n")[0]
            raise UserError(f"cannot connect to Ray: {said}", hint=HINT) from None

    @classmethod
    def to(cls, address: str) -> Connection:
        """To a cluster: `host:port`, or `auto` for the one that was started here by this user."""
        known = address != "auto" or is_connected()
        return cls({"address": address if known else _address_here()})

    @classmethod
    def alone(cls, processors: int) -> Connection:
        """To a Ray of its own on this machine, which ends when it is closed."""
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short, for sockets
        made = cls(
            {
                "address": "local",
                "_temp_dir": f"{folder}/r",  # which Ray lets anybody write: not what it lies in
                "num_cpus": processors,
                "include_dashboard": False,
                "object_store_memory": OBJECT_STORE_BYTES,
                "_node_ip_address": "127.0.0.1",
            }
        )
        made._folder = folder
        return made

    def close(self) -> None:
        """End what this process has at Ray."""
        if self._ours:
            self.ray.shutdown()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def room(self, cpus: int, gpus: float) -> int:
        """How many shares of these sizes the nodes have that are there now."""
        return sum(
            min(
                int(has.get("CPU", 0) // cpus),
                int(has.get("GPU", 0) / gpus + 1e-9) if gpus else 2**31,
            )
            for has in self._nodes()
        )

    def has_gpus(self) -> bool:
        """Whether a node has a GPU."""
        return any(has.get("GPU") for has in self._nodes())

    def _nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]


def is_connected() -> bool:
    """Whether this process has a connection already, which whoever made it will close."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def check(address: str | None) -> None:
    """UserError where Ray is not installed, and where nothing listens at an address."""
    if find_spec("ray") is None:
        raise UserError(
            "the executor ray needs Ray, which is not installed",
            hint='pip install "lossnets[cluster]"',
        )
    if address in (None, "auto"):
        return
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit() and "/" not in host):
        raise UserError(
            f"found Ray address {address!r}; valid are auto and HOST:PORT, such as 10.0.0.1:6379"
        )
    if is_connected():
        return
    try:  # where nothing listens Ray itself would try for minutes
        socket.create_connection((host, int(port)), ANSWER_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"no Ray answers at {address}: {reason}", hint=HINT) from None


def _address_here() -> str:
    """Where the cluster is that `ray start` was last told of on this machine.

    It stands in a file where anybody may have put one, and whoever listens there gets to run what
    a sweep sends: the file counts only where it is this user's, or root's.
    """
    imported()
    file = import_module("ray._private.utils").get_ray_address_file(None)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise UserError("no Ray was started on this machine", hint=HINT) from None
    with os.fdopen(descriptor, encoding="utf-8") as opened:
        if os.fstat(descriptor).st_uid not in (0, os.geteuid()):
            raise UserError(
                f"the Ray that {file} names was started by another user",
                hint="name it if it is to be trusted: --address HOST:PORT",
            )
        return opened.read().strip()


def imported() -> Any:
    """Ray, set up to be quiet."""
    # Ray reads these as it is imported: what it starts by itself listens on this machine alone,
    # a task without GPU sees what there is (it computes on the CPU), and one that a node has too
    # little memory for is not begun again for ever.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_task_oom_retries", "3")
    ray, worker = import_module("ray"), import_module("ray._private.worker")
    # It prints what its nodes say of themselves to standard output, which is for rows; why a run
    # failed is told with the run.
    vars(worker)["print_to_stdstream"] = lambda *_, **__: None
    return ray
