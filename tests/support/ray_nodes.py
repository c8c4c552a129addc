"""A Ray cluster on loopback whose nodes come and go, in a separate process.

    python -m tests.support.ray_nodes

Says its addresses in a line of JSON, then obeys "add" and "remove" (the node added last), one a
line, and answers each with a line; ends with its input. A process of its own, because Ray reads
its environment when it is imported.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# On loopback, but not 127.0.0.1: Ray replaces that by the machine's outer address.
HOST = "127.0.0.2"


class Nodes:
    """The cluster, on the side of the tests: one node of one processor to begin with.

    Attributes:
        environment: What a command must have in its environment to be let in.
        address: The head node's.
        outside: For Ray's client.
    """

    def __init__(self) -> None:
        # As the README advises: a command without the token is refused.
        token = secrets.token_hex(32)
        self.environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ray_nodes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ray's workers give way to every other process, which on a busy machine stops them.
            env=os.environ
            | self.environment
            | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"},
        )
        found = json.loads(self._line())
        self.address, self.outside = found["address"], found["outside"]

    def add(self) -> None:
        """Adds a node of one processor."""
        self._ask("add")

    def remove(self) -> None:
        """Kills all processes of the node that was added last."""
        self._ask("remove")

    def end(self) -> None:
        """Ends every node."""
        self._process.communicate(timeout=120)

    def _ask(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert json.loads(self._line())["done"] == what

    def _line(self) -> str:
        assert self._process.stdout is not None
        # Ray prints, too; its lines are no JSON objects.
        for line in self._process.stdout:
            if line.startswith("{"):
                return line
        raise AssertionError("the cluster ended")


def main() -> None:
    """Runs a cluster until the input ends."""
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="ray-")
    node: dict[str, Any] = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": HOST}
    head = node | {"temp_dir": folder, "ray_client_server_port": port}
    # Ray writes the address of the cluster there, and does not make the folder.
    Path("/tmp/ray").mkdir(exist_ok=True)
    cluster = Cluster(initialize_head=True, head_node_args=head)
    print(json.dumps({"address": cluster.address, "outside": f"ray://{HOST}:{port}"}), flush=True)
    added = []
    try:
        for line in sys.stdin:
            if line.strip() == "add":
                added.append(cluster.add_node(**node))
            else:
                cluster.remove_node(added.pop(), allow_graceful=False)
            print(json.dumps({"done": line.strip(), "nodes": len(added)}), flush=True)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
