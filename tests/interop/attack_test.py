"""`estab serve` under a flood of SYNs: honest clients get in, and nothing grows."""
import json
import pathlib
import re
import signal
import sys

from interop.network import OURS, OnLink, Tap
from program.process import ROOT, SANITIZED, Background


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


class SynFloodTest(OnLink):
    Link = Tap
    backlog = 1024
    first = 200  # connections that are there before memory is looked at: pages come when they are touched
    resident_bound_kib = 4096

    def open_and_close(self, count, *options):
        peer = self.peer("connect", OURS, "7", "--close", "half", "--count", count, *options)
        outcome = json.loads(peer.wait_for(r"\{.*\}\n", 150)[0])
        self.assertEqual((outcome["done"], outcome["errors"]), (count, {}), peer.text())
        return outcome

    def wait_for_rest(self, serve):
        """Until no more is open than what the flood left half-open: a FIN may have been lost, and comes again."""
        for _ in range(150):
            line = serve.wait_for(r"active ([\d,]+), [^\n]*\n", after=len(serve.text()))
            if int(line[1].replace(",", "")) <= self.backlog:
                return
        raise AssertionError(f"connections stay open\n{serve.text()[-1000:]}")

    def flood(self, syns, connections, *options):
        """Spoofed SYNs for as long as a kernel client opens and closes connections, and until there were enough of them."""
        serve = self.serve("7", options=("--backlog", self.backlog))
        flood = Background(*self.kernel.prefix, sys.executable, "-u", ROOT / "tests" / "interop" / "flood.py", self.link.interface, OURS, "7",
                           "--count", syns, "--seconds", 150)
        self.addCleanup(flood.close)
        flood.wait_for("flooding", 30)
        self.open_and_close(self.first)
        before = resident_kib(serve.process)
        outcome = self.open_and_close(connections, *options)
        flood.process.send_signal(signal.SIGINT)
        sent = json.loads(flood.wait_for(r"\{.*\}\n", 150)[0])
        grown = resident_kib(serve.process) - before
        self.note = (f"{sent['sent'] / sent['seconds']:,.0f} SYNs and {connections / outcome['seconds']:,.0f} connections a second, "
                     f"{sent['dropped']:,} SYNs beyond what the link took, {grown} KiB more resident")
        self.wait_for_rest(serve)
        self.assertEqual(serve.stop(), 0, serve.text())
        summary = serve.summary()
        all_of_them = connections + self.first
        self.assertEqual((summary["established"], summary["closed"], summary["failed"]), (all_of_them, all_of_them, 0), serve.text())
        self.assertEqual(summary["mbufs_leaked"], 0)
        # All that is left of the flood, and all there ever was.
        self.assertLessEqual(set(summary["connections"]["by_state"]), {"SYN-RECEIVED"})
        self.assertLessEqual(summary["connections"]["active"], self.backlog)
        self.assertGreaterEqual(sent["sent"], syns)
        self.assertGreater(summary["syn_cookies"]["sent"], 0.95 * sent["sent"])
        self.assertEqual(summary["syn_cookies"]["refused"], 0)
        if not SANITIZED:  # AddressSanitizer holds back what is freed
            self.assertLess(grown, self.resident_bound_kib)

    def test_200000_syns_and_2000_connections(self):
        self.flood(200_000, 2_000)

    def test_2000000_syns_and_10000_connections(self):
        self.flood(2_000_000, 10_000, "--concurrency", 20)  # so that they take about as long as the flood

    test_2000000_syns_and_10000_connections.long = True
