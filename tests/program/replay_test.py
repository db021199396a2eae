"""`estab replay`: the captures of tests/data, each replayed twice with the same outcome."""
import json
import pathlib
import tempfile
import unittest

from program.process import ROOT, estab

CAPTURES = sorted((ROOT / "tests" / "data").glob("*.pcap"))


class Replay(unittest.TestCase):
    def replay(self, capture, folder, *arguments, name="out"):
        out, summary = pathlib.Path(folder) / f"{name}.pcap", pathlib.Path(folder) / f"{name}.json"
        described = capture.with_suffix(".args")  # the server that the capture was made with
        server = described.read_text().split() if described.exists() else ["--address", "198.18.0.2/24", "--listen", "80:http"]
        done = estab("replay", "--in", capture, "--out", out, *server, "--json", summary, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return out.read_bytes(), json.loads(summary.read_text())

    def test_twice_gives_the_same_bytes(self):
        self.assertTrue(CAPTURES, "no capture in tests/data")
        for capture in CAPTURES:
            with self.subTest(capture.name), tempfile.TemporaryDirectory() as folder:
                first, summary = self.replay(capture, folder, name="first")
                second, again = self.replay(capture, folder, name="second")
                self.assertEqual(first, second)
                self.assertEqual(summary["mbufs_leaked"], 0)
                self.assertEqual(summary["connections"], again["connections"])
                self.assertGreater(len(first), 24, "nothing was sent")

    def test_another_seed_gives_other_bytes(self):
        self.assertTrue(CAPTURES, "no capture in tests/data")
        with tempfile.TemporaryDirectory() as folder:
            first, _ = self.replay(CAPTURES[0], folder, "--seed", "1", name="first")
            second, _ = self.replay(CAPTURES[0], folder, "--seed", "2", name="second")
            self.assertNotEqual(first, second)
