"""`estab bench --connect` against a server of Linux: connections of ours, closed in each way."""
import json
import pathlib
import tempfile

from interop.network import KERNEL, OURS, AfPacket, OnLink, Tap
from program.process import PROGRAM, SLOWER


class Cases:
    count = 10_000
    # A device's queue holds what this many have under way at once, so a RST, which nobody sends again, is not lost there.
    concurrency = 100

    def bench(self, how, *arguments):
        """Our client against a kernel server that closes as `how` says: both ends' accounts."""
        server = self.peer("serve", "5001", "--close", how, "--count", self.count)
        server.wait_for("ready")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "bench.json"
            done = self.link.ours.run(PROGRAM, "bench", "--connect", f"{KERNEL}:5001", "--device", self.link.device,
                                      "--address", f"{OURS}/24", "--connections", self.count, "--concurrency", self.concurrency, "--json", file,
                                      *arguments, seconds=60 * SLOWER)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            summary = json.loads(file.read_text())
        self.note = f"{summary['connections_per_second']:,.0f} a second"
        self.assertEqual((summary["attempted"], summary["established"], summary["closed"]), (self.count,) * 3, done.stdout)
        self.assertEqual((summary["failures"], summary["mbufs_leaked"]), ({}, 0), done.stdout)
        self.assertEqual(summary["connections_left"], 0, done.stdout)
        return json.loads(server.wait_for(r"\{.*\}\n", 20)[0])

    def served(self, outcome, errors=None):
        self.assertEqual((outcome["done"], outcome["errors"]), (self.count, errors or {}))

    def test_10000_closed_by_client(self):
        self.served(self.bench("last"))

    def test_10000_closed_by_server(self):
        self.served(self.bench("first", "--close-by", "server"))

    def test_10000_closed_by_both_at_once(self):
        self.served(self.bench("first"))

    def test_10000_closed_by_rst_of_client(self):
        self.served(self.bench("last", "--close", "rst"), {"ECONNRESET": self.count})

    def test_10000_closed_by_rst_of_server(self):
        self.served(self.bench("rst", "--close", "rst", "--close-by", "server"))


class TapTest(Cases, OnLink):
    Link = Tap


class AfPacketTest(Cases, OnLink):
    Link = AfPacket
