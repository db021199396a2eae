"""`estab serve` as a process, on devices that need nothing: how it starts and how it ends."""
import os
import pathlib
import shutil
import signal
import tempfile
import unittest

from program.process import PROGRAM, SLOWER, Serve, estab, run

RING = ["--device", "net_ring0", "--address", "198.18.0.2/24"]


class Ends(unittest.TestCase):
    def ends_well(self, number):
        serve = Serve(*RING, "--listen", "7", "--listen", "80:http")
        self.addCleanup(serve.close)
        self.assertEqual(serve.stop(number), 0, serve.text())
        summary = serve.summary()
        self.assertEqual(summary["mbufs_leaked"], 0)
        self.assertEqual(summary["connections"], {"accepted": 0, "active": 0, "closed": 0, "by_state": {}})
        self.assertIn("mbufs leaked 0", serve.text())

    def test_sigint(self):
        self.ends_well(signal.SIGINT)

    def test_sigterm(self):
        self.ends_well(signal.SIGTERM)

    def test_duration(self):
        done = estab("serve", *RING, "--listen", "7", "--duration", "300ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("mbufs leaked 0", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_stats_lines(self):
        done = estab("serve", *RING, "--listen", "7", "--duration", "500ms", "--stats", "100ms")
        lines = [line for line in done.stdout.splitlines() if "accepted 0, active 0" in line]
        self.assertIn(len(lines), range(3, 7), done.stdout)


class CookieSecret(unittest.TestCase):
    def serve(self, content):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "secret"
            if content is not None:
                file.write_text(content)
            return estab("serve", *RING, "--listen", "7", "--duration", "100ms", "--syn-cookies", "always", "--cookie-secret-file", file)

    def test_good(self):
        done = self.serve("0123456789abcdefFEDCBA9876543210\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_refused_in_a_sentence(self):
        for name, content in {"missing": None, "empty": "", "short": "0123", "long": "0" * 31 + "12", "not_hex": "g" * 32, "zero": "0" * 32,
                              "prefix": "0x" + "1" * 30, "two": "1" * 32 + " " + "2" * 32}.items():
            with self.subTest(name):
                done = self.serve(content)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("cookie secret", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class Eal(unittest.TestCase):
    def test_options_after_a_lone_dash_dash(self):
        done = estab("serve", *RING, "--listen", "7", "--duration", "200ms", "--", "--no-huge", "--no-shconf", "-m", "512", "--no-telemetry")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("as the EAL options say", done.stdout)

    def test_says_which_memory(self):
        done = estab("serve", *RING, "--listen", "7", "--duration", "200ms")
        self.assertRegex(done.stdout, r"hugepages|ordinary memory")


class Unprivileged(unittest.TestCase):
    """Neither root nor hugepages: the program says so, and runs."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        folder = pathlib.Path(self.folder.name)
        folder.chmod(0o777)
        self.json = folder / "summary.json"
        self.program, self.prefix = PROGRAM, []
        if os.geteuid() == 0:  # the build folder may not be readable by others
            self.program = shutil.copy(PROGRAM, folder / "estab")
            self.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def runs(self, device):
        serve = Serve("--device", device, "--address", "198.18.0.2/24", "--listen", "7", prefix=self.prefix, program=self.program)
        self.addCleanup(serve.close)
        self.assertIn("not root", serve.text())
        self.assertEqual(serve.stop(), 0, serve.text())
        self.assertEqual(serve.summary()["mbufs_leaked"], 0)

    def test_ring(self):
        self.runs("net_ring0")

    def test_null(self):
        self.runs("net_null0")

    def test_null_silent(self):
        self.runs("net_null0,no-rx=1")

    def test_bench(self):
        done = run(*self.prefix, self.program, "bench", "--connections", "5000", "--time-wait", "100ms", "--json", self.json, seconds=30 * SLOWER)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
