"""Bad usage is refused with one sentence and exit status 2; what fails at run time says so in one and exits with 1."""
import pathlib
import tempfile
import unittest

from program.process import estab

DEVICE = ["--device", "net_ring0", "--address", "198.18.0.2/24"]
SERVE = ["serve", *DEVICE, "--listen", "80"]
BENCH = ["bench"]
REPLAY = ["replay", "--in", "in.pcap", "--out", "out.pcap", "--address", "198.18.0.2/24", "--listen", "80"]

BAD_USAGE = {
    "no_command": [],
    "unknown_command": ["bogus"],
    "unknown_option": [*SERVE, "--bogus"],
    "unknown_positional": [*SERVE, "bogus"],
    "no_device": ["serve", "--address", "198.18.0.2/24", "--listen", "80"],
    "empty_device": ["serve", "--device", "", "--address", "198.18.0.2/24", "--listen", "80"],
    "no_address": ["serve", "--device", "net_ring0", "--listen", "80"],
    "no_listen": ["serve", *DEVICE],
    "address_not_cidr": ["serve", "--device", "net_ring0", "--address", "198.18.0.999/24", "--listen", "80"],
    "address_prefix_too_long": ["serve", "--device", "net_ring0", "--address", "198.18.0.2/33", "--listen", "80"],
    "address_prefix_empty": ["serve", "--device", "net_ring0", "--address", "198.18.0.2/", "--listen", "80"],
    "gateway_not_ip": [*SERVE, "--gateway", "nowhere"],
    "port_zero": ["serve", *DEVICE, "--listen", "0"],
    "port_too_large": ["serve", *DEVICE, "--listen", "65536"],
    "port_not_a_number": ["serve", *DEVICE, "--listen", "http"],
    "port_empty": ["serve", *DEVICE, "--listen", ""],
    "port_negative": ["serve", *DEVICE, "--listen=-80"],
    "port_twice": [*SERVE, "--listen", "80:http"],
    "service_unknown": ["serve", *DEVICE, "--listen", "80:bogus"],
    "service_empty": ["serve", *DEVICE, "--listen", "80:"],
    "duration_no_number": [*SERVE, "--duration", "long"],
    "duration_unit": [*SERVE, "--duration", "10x"],
    "duration_negative": [*SERVE, "--duration=-1s"],
    "duration_empty": [*SERVE, "--duration", ""],
    "time_wait_bad": [*SERVE, "--time-wait", "soon"],
    "stats_bad": [*SERVE, "--stats", "often"],
    "stats_zero": [*SERVE, "--stats", "0", "--duration", "100ms"],
    "backlog_negative": [*SERVE, "--backlog=-1"],
    "syn_cookies_bad": [*SERVE, "--syn-cookies", "sometimes"],
    "keepalive_zero": [*SERVE, "--keepalive", "0"],
    "zero_window_limit_bad": [*SERVE, "--zero-window-limit", "soon"],
    "max_connections_zero": [*SERVE, "--max-connections", "0"],
    "option_without_value": [*SERVE, "--json"],
    "config_missing_file": [*SERVE, "--config", "no-such-file.toml"],
    "bench_workload": [*BENCH, "--workload", "bogus"],
    "bench_connect_without_port": [*BENCH, "--connect", "198.18.0.1", *DEVICE],
    "bench_connect_without_device": [*BENCH, "--connect", "198.18.0.1:80"],
    "bench_device_without_connect": [*BENCH, *DEVICE],
    "bench_device_without_address": [*BENCH, "--connect", "198.18.0.1:80", "--device", "net_ring0"],
    "bench_close": [*BENCH, "--close", "gently"],
    "bench_close_by": [*BENCH, "--close-by", "nobody"],
    "bench_rate_zero": [*BENCH, "--rate", "0"],
    "bench_rate_negative": [*BENCH, "--rate=-1"],
    "bench_concurrency_zero": [*BENCH, "--concurrency", "0"],
    "bench_connections_not_a_number": [*BENCH, "--connections", "many"],
    "bench_request_zero": [*BENCH, "--request", "0"],
    "bench_source_addresses_zero": [*BENCH, "--source-addresses", "0"],
    "replay_without_in": ["replay", "--out", "out.pcap", "--address", "198.18.0.2/24", "--listen", "80"],
    "replay_without_out": ["replay", "--in", "in.pcap", "--address", "198.18.0.2/24", "--listen", "80"],
    "replay_address": ["replay", "--in", "in.pcap", "--out", "out.pcap", "--address", "bogus", "--listen", "80"],
    "replay_seed": [*REPLAY, "--seed", "x"],
}

FAILS = {
    "device_unknown": ["serve", "--device", "net_bogus0", "--address", "198.18.0.2/24", "--listen", "80"],
    "device_not_there": ["serve", "--device", "ffff:ff:1f.7", "--address", "198.18.0.2/24", "--listen", "80"],
    "device_interface_not_there": ["serve", "--device", "net_af_packet0,iface=no-such-dev0", "--address", "198.18.0.2/24", "--listen", "80"],
    "json_unwritable": [*SERVE, "--duration", "100ms", "--json", "/no/such/folder/x.json"],
    "bench_json_unwritable": [*BENCH, "--connections", "100", "--json", "/no/such/folder/x.json"],
    "replay_in_missing": ["replay", "--in", "/no/such/file.pcap", "--out", "out.pcap", "--address", "198.18.0.2/24", "--listen", "80"],
}


class Usage(unittest.TestCase):
    def refused(self, arguments, status):
        with tempfile.TemporaryDirectory() as folder:
            done = estab(*arguments, seconds=20, cwd=folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"not one sentence on stderr:\n{done.stderr}")
        self.assertRegex(lines[0], "^estab: .{10,}")
        self.assertTrue(lines[0].isprintable() and len(lines[0]) < 250, repr(lines[0]))
        self.assertEqual(lines[0].count("{"), lines[0].count("}"), "cut short: " + lines[0])
        self.assertNotRegex(lines[0], r"std::|basic_string|what\(\)")
        if status == 2:
            self.assertEqual(done.stdout, "")
        self.note = lines[0]


def _add(name, arguments, status):
    def test(self):
        self.refused(arguments, status)
    setattr(Usage, "test_" + name, test)


class EalUsage(unittest.TestCase):
    def test_unknown_option(self):  # the EAL may add what it found wrong
        done = estab(*SERVE, "--duration", "100ms", "--", "--bogus", seconds=20)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stderr.splitlines()[-1], "^estab: .*options after --")


for _name, _arguments in BAD_USAGE.items():
    _add(_name, _arguments, 2)
for _name, _arguments in FAILS.items():
    _add(_name, _arguments, 1)


class Help(unittest.TestCase):
    def says(self, *arguments, words):
        done = estab(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in words:
            self.assertIn(word, done.stdout)

    def test_help(self):
        self.says("--help", words=["serve", "bench", "replay"])

    def test_help_of_commands(self):
        self.says("serve", "--help", words=["--device", "--listen", "--time-wait", "--backlog", "--gateway", "--config", "--trace", "echo"])
        self.says("bench", "--help", words=["--workload", "--rate", "--concurrency", "--close-by", "--source-addresses", "--one-core"])
        self.says("replay", "--help", words=["--in", "--out", "--seed", "--listen"])

    def test_version(self):
        done = estab("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^(estab )?\d+\.\d+\.\d+\n$")


class Configuration(unittest.TestCase):
    """A TOML file with a section for each command."""

    def with_config(self, text, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "estab.toml"
            file.write_text(text)
            return estab("serve", "--config", file, *arguments, seconds=20)

    def test_options_from_toml(self):
        done = self.with_config('[serve]\ndevice = "net_ring0"\naddress = "198.18.0.2/24"\nlisten = ["7", "80:http"]\n'
                                'time-wait = "5s"\nduration = "100ms"\n')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for words in ("listening on port 7: echo", "listening on port 80: http", "TIME-WAIT lasts 5 s"):
            self.assertIn(words, done.stdout)

    def test_command_line_wins(self):
        done = self.with_config('[serve]\ndevice = "net_ring0"\naddress = "198.18.0.2/24"\nlisten = ["7"]\ntime-wait = "5s"\nduration = "1h"\n',
                                "--duration", "100ms", "--time-wait", "3s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("TIME-WAIT lasts 3 s", done.stdout)

    def test_unknown_option_in_file_is_refused(self):
        done = self.with_config("[serve]\nbogus = 1\n", *DEVICE, "--listen", "80", "--duration", "100ms")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_bad_value_in_file_is_refused(self):
        done = self.with_config('[serve]\nlisten = ["80:bogus"]\n', *DEVICE, "--duration", "100ms")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
