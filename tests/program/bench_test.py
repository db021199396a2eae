"""`estab bench` without a device: client and server in one process, small runs of every workload."""
import json
import pathlib
import signal
import tempfile
import unittest

from program.process import PROGRAM, Background, estab

FIELDS = {"workload", "duration_s", "time_wait_s", "attempted", "established", "closed", "failed", "failures", "retransmitted",
          "connections_per_second", "handshake_us", "client", "server", "packets", "mbufs_leaked"}
SIDE = {"cycles_per_connection", "ns_per_connection", "cycles_per_packet"}


class Bench(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.json = pathlib.Path(self.folder.name) / "bench.json"

    def bench(self, *arguments, seconds=30):
        if "--time-wait" not in arguments:
            arguments += ("--time-wait", "100ms")
        done = estab("bench", "--json", self.json, *arguments, seconds=seconds)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        return self.checked(done.stdout)

    def checked(self, output):
        """What holds for the summary of every run."""
        summary = json.loads(self.json.read_text())
        self.assertLessEqual(FIELDS, summary.keys(), output)
        self.assertLessEqual({"p50", "p90", "p99", "p999", "max"}, summary["handshake_us"].keys())
        self.assertLessEqual({"rx", "tx", "dropped"}, summary["packets"].keys())
        for side in ("client", "server"):
            self.assertLessEqual(SIDE, summary[side].keys())
            self.assertGreater(summary[side]["cycles_per_packet"], 0)
        self.assertEqual(summary["mbufs_leaked"], 0, output)
        self.assertEqual((summary["failed"], summary["failures"]), (0, {}), output)
        self.assertGreater(summary["connections_per_second"], 0)
        times = [summary["handshake_us"][key] for key in ("p50", "p90", "p99", "p999", "max")]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 0)
        self.note = f"{summary['connections_per_second']:,.0f} connections a second"
        return summary

    def all_closed(self, summary, count):
        for key in ("attempted", "established", "closed"):
            self.assertEqual(summary[key], count, f"{key} in {summary}")

    def test_cc(self):
        summary = self.bench("--connections", "20000")
        self.assertEqual((summary["workload"], summary["time_wait_s"]), ("cc", 0.1))
        self.all_closed(summary, 20000)
        # SYN, SYN-ACK, ACK, then FIN, FIN-ACK (or ACK and FIN), ACK: each is sent by one side and received by the other.
        self.assertGreaterEqual(summary["packets"]["tx"], 6 * 20000)

    def test_cc_closed_by_server(self):
        self.all_closed(self.bench("--connections", "20000", "--close-by", "server"), 20000)

    def test_cc_rst(self):
        self.all_closed(self.bench("--connections", "20000", "--close", "rst"), 20000)

    def test_cc_rst_by_server(self):
        self.all_closed(self.bench("--connections", "20000", "--close", "rst", "--close-by", "server"), 20000)

    def test_cc_one_core(self):
        self.all_closed(self.bench("--connections", "20000", "--one-core"), 20000)

    def test_cc_more_than_one_address_has_ports(self):
        summary = self.bench("--connections", "150000", "--time-wait", "2s", "--concurrency", "1024")
        self.all_closed(summary, 150000)

    def test_cc_source_addresses(self):
        self.all_closed(self.bench("--connections", "20000", "--source-addresses", "16"), 20000)

    def test_cc_one_at_a_time(self):
        self.all_closed(self.bench("--connections", "2000", "--concurrency", "1"), 2000)

    def test_cc_rate(self):
        summary = self.bench("--rate", "5000", "--duration", "2s")
        self.assertEqual(summary["attempted"], summary["established"])
        self.assertAlmostEqual(summary["attempted"], 10000, delta=1500)
        self.assertAlmostEqual(summary["duration_s"], 2, delta=0.5)

    def test_cc_duration(self):
        summary = self.bench("--duration", "1s")
        self.assertGreater(summary["established"], 1000)
        self.assertEqual(summary["attempted"], summary["established"])
        self.assertEqual(summary["attempted"], summary["closed"])

    def test_cc_default_time_wait_is_a_second(self):
        done = estab("bench", "--connections", "1000", "--json", self.json)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.checked(done.stdout)["time_wait_s"], 1)
        self.assertRegex(done.stdout, "TIME-WAIT of 1 s")

    def test_crr(self):
        self.all_closed(self.bench("--workload", "crr", "--connections", "20000"), 20000)

    def test_crr_closed_by_server(self):
        self.all_closed(self.bench("--workload", "crr", "--connections", "20000", "--close-by", "server"), 20000)

    def test_crr_large_messages(self):
        self.all_closed(self.bench("--workload", "crr", "--connections", "1000", "--request", "5000", "--response", "100000",
                                   "--concurrency", "16"), 1000)

    def test_rr(self):
        summary = self.bench("--workload", "rr", "--connections", "50000", "--concurrency", "64")
        self.assertEqual(summary["established"], 64)
        self.assertGreaterEqual(summary["requests"], 50000)

    def test_hold(self):
        summary = self.bench("--workload", "hold", "--connections", "20000", "--duration", "1s")
        self.all_closed(summary, 20000)
        self.assertGreaterEqual(summary["duration_s"], 0.9)

    def test_syn(self):
        summary = self.bench("--workload", "syn", "--connections", "20000")
        self.assertEqual((summary["attempted"], summary["established"]), (20000, 20000))

    def interrupted(self, number):
        bench = Background(PROGRAM, "bench", "--duration", "60s", "--time-wait", "100ms", "--json", self.json)
        self.addCleanup(bench.close)
        bench.wait_for(r"connections/s|connections a second|\d/s")
        self.assertEqual(bench.stop(number), 0, bench.text())
        self.checked(bench.text())

    def test_sigint(self):
        self.interrupted(signal.SIGINT)

    def test_sigterm(self):
        self.interrupted(signal.SIGTERM)

    def test_trace_draws_both_ends(self):
        done = estab("bench", "--connections", "3", "--concurrency", "1", "--trace", "1", "--time-wait", "100ms")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for state in ("SYN.SENT", "SYN.RECEIVED", "ESTABLISHED", "FIN.WAIT.1", "CLOSE.WAIT", "LAST.ACK", "TIME.WAIT"):
            self.assertRegex(done.stdout, state)
        self.assertEqual(len([line for line in done.stdout.splitlines() if "SYN_SENT" in line or "SYN-SENT" in line]), 1)
