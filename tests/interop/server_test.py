"""`estab serve` and clients of Linux: what they fetch arrives, and what they close is gone."""
import hashlib
import json
import pathlib
import random
import sys
import tempfile

from interop.network import KERNEL, OURS, AfPacket, OnLink, Tap
from program.process import PROGRAM, ROOT, SLOWER, Background

MEGABYTE = 1_000_000
PATTERN = b"abcdefghijklmnopqrstuvwxyz"
WIRECHECK = ROOT.parent / "shared" / "wirecheck" / "wirecheck.py"


class Cases:
    def ping(self, *arguments):
        serve = self.serve("7")
        self.note = self.kernel.must("ping", "-c", "10", "-i", "0.1", "-W", "2", *arguments, OURS).splitlines()[-1]
        self.finish(serve, accepted=0)

    def test_ping(self):
        self.ping()

    def test_ping_full_packets(self):
        self.ping("-s", "1472", "-M", "do")

    def fetch(self, size, seconds):
        body = self.kernel.run("curl", "-sS", "--fail", "-m", seconds, f"http://{OURS}/{size}", text=False, seconds=seconds + 5)
        self.assertEqual(body.returncode, 0, body.stderr)
        self.assertEqual(len(body.stdout), size)
        self.assertTrue(body.stdout == (PATTERN * (size // 26 + 1))[:size], "the bytes are not those that were sent")

    def test_curl_fetches_a_megabyte(self):
        serve = self.serve("80:http")
        self.fetch(MEGABYTE, 30)
        self.finish(serve, accepted=1)

    def test_curl_fetches_many_at_once(self):
        serve = self.serve("80:http")
        done = self.kernel.run("curl", "-sS", "--fail", "-m", 60, "-Z", "--parallel-max", 20, *["-o", "/dev/null"] * 40,
                               *[f"http://{OURS}/{100_000 + i}" for i in range(40)], seconds=70)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.finish(serve)

    def round_trip(self, size, seconds):
        """Random bytes by nc through the echo service: their SHA-256 before and after."""
        data = random.Random(size).randbytes(size)
        with tempfile.TemporaryDirectory() as folder:
            sent, received = pathlib.Path(folder) / "sent", pathlib.Path(folder) / "received"
            sent.write_bytes(data)
            with sent.open("rb") as source, received.open("wb") as sink:
                done = self.kernel.run("nc.openbsd", "-N", OURS, "7", stdin=source, stdout=sink, seconds=seconds)
            self.assertEqual(done.returncode, 0, done.stderr)
            back = received.read_bytes()
        self.assertEqual(len(back), size)
        self.assertEqual(hashlib.sha256(back).digest(), hashlib.sha256(data).digest())

    def test_nc_round_trips_ten_megabytes(self):
        serve = self.serve("7")
        self.round_trip(10 * MEGABYTE, 60)
        self.finish(serve, accepted=1)

    def test_wrk_without_errors(self):
        serve = self.serve("80:http")
        output = self.kernel.must("wrk", "-t1", "-c32", "-d5", "--timeout", "5", f"http://{OURS}/", seconds=30)
        self.assertNotIn("Socket errors", output)
        self.assertNotIn("Non-2xx", output)
        requests = int(output.split(" requests in ")[0].split()[-1])
        self.assertGreater(requests, 1000, output)
        self.note = f"{requests} requests"
        self.finish(serve)

    test_wrk_without_errors.slow = True

    # ---- 10,000 connections of a kernel client, closed in each way

    def open_and_close(self, service, how, count=10_000):
        serve = self.serve(f"7:{service}")
        peer = self.peer("connect", OURS, "7", "--close", how, "--count", count)
        outcome = json.loads(peer.wait_for(r"\{.*\}\n", 100)[0])
        self.assertEqual((outcome["done"], outcome["errors"]), (count, {}), peer.text())
        summary = self.finish(serve, accepted=count)
        self.note = f"{count / outcome['seconds']:,.0f} a second"
        return summary

    def test_10000_closed_by_client(self):
        summary = self.open_and_close("echo", "half")
        self.assertEqual((summary["closed"], summary["failed"]), (10_000, 0))

    def test_10000_closed_by_server(self):
        summary = self.open_and_close("accept", "last")
        self.assertEqual((summary["closed"], summary["failed"]), (10_000, 0))

    def test_10000_closed_by_both_at_once(self):
        summary = self.open_and_close("accept", "first")
        self.assertEqual((summary["closed"], summary["failed"]), (10_000, 0))

    def test_10000_closed_by_rst(self):
        summary = self.open_and_close("echo", "rst")
        self.assertEqual((summary["closed"], summary["failures"]), (0, {"reset": 10_000}))

    # ---- with 5 % of the packets lost, both ways

    def test_loss_nc_round_trips(self):
        serve = self.serve("7")
        self.lose(5)
        self.round_trip(MEGABYTE, 120)
        self.lossy_finish(serve)

    def test_loss_curl_fetches(self):
        serve = self.serve("80:http")
        self.lose(5)
        self.fetch(MEGABYTE, 90)
        self.lossy_finish(serve)

    def test_loss_500_connections(self):
        serve = self.serve("7")
        self.lose(5)
        peer = self.peer("connect", OURS, "7", "--close", "half", "--count", 500)
        outcome = json.loads(peer.wait_for(r"\{.*\}\n", 120)[0])
        self.assertEqual((outcome["done"], outcome["errors"]), (500, {}))
        self.lossy_finish(serve)

    def lossy_finish(self, serve):
        lost = self.lost()
        self.assertGreater(min(lost), 0)
        serve.wait_idle(60)  # a lost FIN is sent again, later and later
        summary = self.finish(serve)
        self.note = f"lost {lost[0]} of ours and {lost[1]} of theirs, retransmitted {summary['retransmitted']}"

    test_loss_nc_round_trips.slow = test_loss_curl_fetches.slow = test_loss_500_connections.slow = True


class TapTest(Cases, OnLink):
    Link = Tap


class AfPacketTest(Cases, OnLink):
    Link = AfPacket

    def test_example_echo_server(self):
        """The example of the README, as built: nc round-trips a megabyte through it."""
        example = pathlib.Path(PROGRAM).parent.parent / "examples" / "echo_server"
        server = Background(*self.link.ours.prefix, example, self.link.device, f"{OURS}/24", "7")
        self.addCleanup(server.close)
        self.kernel.must("ping", "-c", "15", "-i", "0.2", OURS, seconds=20)  # until it is up
        self.round_trip(MEGABYTE, 30)


class WirecheckCases:
    """A conformance runner that is no part of this project."""
    seconds = 170 * SLOWER

    def check(self, *arguments):
        serve = self.serve("7", "8:close", "9:stall", "10:abort", time_wait="60s")
        self.kernel.must("ip", "address", "del", f"{KERNEL}/24", "dev", self.link.interface)
        done = self.kernel.run(sys.executable, WIRECHECK, "-i", self.link.interface, "-t", OURS, "-l", "198.18.0.77", "-p", "7",
                               "--close-port", "8", "--stall-port", "9", "--abort-port", "10", *arguments, seconds=150 * SLOWER)
        self.note = done.stdout.splitlines()[-1] if done.stdout else ""
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(serve.stop(), 0, serve.text())
        self.assertEqual(serve.summary()["mbufs_leaked"], 0)

    def test_wirecheck(self):
        self.check("--only", r"^(hs|closed|listen|bad|eth|ip|opt|ts|data|fin|tw|matrix)\.")

    def test_wirecheck_fuzz(self):
        self.check("--only", r"^load\.fuzz", "--fuzz", 20_000, "--timeout", 140 * SLOWER)

    test_wirecheck_fuzz.long = True


if WIRECHECK.exists():
    class WirecheckTapTest(WirecheckCases, OnLink):
        Link = Tap

    class WirecheckAfPacketTest(WirecheckCases, OnLink):
        Link = AfPacket
