"""Scanners and packet forgers: nmap is told the truth, and after all that hping3 sends, connections are served as before."""
import re
import shutil

from interop.network import OURS, OnLink, Tap
from program.process import Background

LISTENING = {7: "echo", 9: "discard", 22: "accept", 80: "http", 443: "close"}
CLOSED = [1, 4, 8, 21, 23, 25, 53, 79, 81, 110, 143, 444, 1024, 8080, 65535]


class Scanned(OnLink):
    Link = Tap
    tool = None

    def setUp(self):
        if self.tool and shutil.which(self.tool) is None:
            self.skipTest(f"there is no {self.tool}")
        super().setUp()
        self.server = self.serve(*(f"{port}:{service}" for port, service in LISTENING.items()))

    def answers(self):
        """As if nothing had been: a page by curl, and an echo."""
        done = self.kernel.run("curl", "-sS", "--fail", "-m", 20, f"http://{OURS}/1000", seconds=25)
        self.assertEqual((done.returncode, len(done.stdout)), (0, 1000), done.stderr)
        with open("/dev/null") as nothing:
            echo = self.kernel.run("sh", "-c", f"echo hello | nc.openbsd -N -w 10 {OURS} 7", stdin=nothing, seconds=20)
        self.assertEqual((echo.returncode, echo.stdout), (0, "hello\n"), echo.stderr)


class NmapTest(Scanned):
    tool = "nmap"

    def scan(self, *arguments):
        return self.kernel.must("nmap", "-n", "-Pn", "-T4", "--max-retries", 1, "--host-timeout", "60s", *arguments,
                                "-p", ",".join(map(str, [*LISTENING, *CLOSED])), "-oG", "-", OURS, seconds=90)

    def check(self, arguments, listening, closed):
        """nmap's word on each port; then the service as ever, and nothing left."""
        output = self.scan(*arguments)
        found = {int(port): state for port, state in re.findall(r"(\d+)/([a-z|]+)/tcp/", output)}
        self.assertEqual(found, {**dict.fromkeys(LISTENING, listening), **dict.fromkeys(CLOSED, closed)}, output)
        self.answers()
        self.finish(self.server)

    def test_syn(self):
        self.check(["-sS"], "open", "closed")

    def test_connect(self):
        self.check(["-sT"], "open", "closed")

    # RFC 9293 §3.10.7.2 drops what is neither SYN, ACK nor RST without a word, §3.10.7.1 answers it with a RST.
    def test_fin(self):
        self.check(["-sF"], "open|filtered", "closed")

    def test_xmas(self):
        self.check(["-sX"], "open|filtered", "closed")

    def test_null(self):
        self.check(["-sN"], "open|filtered", "closed")

    def test_ack(self):
        self.check(["-sA"], "unfiltered", "unfiltered")

    def test_window(self):
        self.check(["-sW"], "closed", "closed")  # a RST's window says nothing

    def test_maimon(self):
        self.check(["-sM"], "closed", "closed")  # FIN with ACK: a RST whether or not somebody listens

    def test_system_detection(self):
        self.check(["-sS", "-O", "--max-os-tries", "2"], "open", "closed")

    def test_versions(self):
        self.check(["-sV", "--version-light"], "open", "closed")

    test_versions.long = True


class HpingTest(Scanned):
    tool = "hping3"
    count = 3000

    # What to send, each at some 5,000 packets a second.
    floods = (
        "-S -p 7", "-S -p 7 --rand-source", "-S -p 4", "-S -p ++1 --rand-source", "-A -p 7", "-A -p 7 --rand-source", "-R -p 7", "-F -p 7",
        "-F -P -U -p 7", "-F -P -U -p 4", "-S -F -p 7", "-S -R -p 7", "-S -A -p 7", "-S -F -P -A -U -R -p 80", "-X -Y -p 7", "-S -X -Y -p 80",
        "-p 7",                                   # no flag at all
        "-S -p 7 -d 1000", "-A -p 7 -d 1000", "-S -p 80 -w 0", "-S -p 7 --tcp-mss 1", "-S -p 7 --tcp-timestamp",
        "-S -p 7 -O 2", "-S -p 7 -O 15",          # impossible data offsets
        "-S -p 7 -b", "-A -p 7 -b -d 100",        # wrong checksums
        "-S -p 7 -f -d 200", "-S -p 7 -x", "-S -p 7 -g 8",  # fragments: of a whole, without the rest, without the beginning
        "-S -p 7 -s 7 -k -a {0}", "-S -A -p 7 -s 7 -k -a {0}",  # from itself
        "-S -p 7 -a 127.0.0.1", "-S -p 7 -a 255.255.255.255", "-S -p 7 -a 198.18.0.255", "-S -p 7 -a 224.0.0.1", "-S -p 7 -a 0.0.0.0",
        "-2 -p 7", "-2 -p 53 -d 1200 --rand-source", "-0 -d 40", "-0 -H 6 -d 3", "-0 -H 1 -d 2", "-0 -H 255 -d 1400",
        "-1", "-1 -d 1400", "-1 -b", "-1 -C 0", "-1 -C 3 -K 1 --force-icmp", "-1 -C 3 -K 4 --force-icmp", "-1 -C 4 --force-icmp",
        "-1 -C 5 --force-icmp", "-1 -C 11 --force-icmp", "-1 -C 13", "-1 -C 17", "-1 -C 40 --force-icmp", "-1 --rand-source",
    )

    def storm(self, floods):
        """All of them at once."""
        senders = []
        for flood in floods:
            sender = Background(*self.kernel.prefix, "hping3", "-n", "-q", "-c", self.count, "-i", "u200", "-I", self.link.interface,
                                *flood.format(OURS).split(), OURS)
            self.addCleanup(sender.close)
            senders.append((flood, sender))
        return senders

    def test_storms(self):
        sent = 0
        for begin in range(0, len(self.floods), 8):
            senders = self.storm(self.floods[begin:begin + 8])
            self.answers()  # meanwhile
            for flood, sender in senders:
                with self.subTest(flood):
                    sent += int(sender.wait_for(r"(\d+) packets t", 30)[1])
                sender.close()
        self.answers()
        # Half-open connections from sources that nobody has stay for a minute, and then are gone.
        self.server.wait_idle(100)
        summary = self.finish(self.server)
        dropped = summary["packets"]["dropped"]
        self.note = f"{sent:,} packets sent; {summary['packets']['rx']:,} received; dropped {dropped}"
        for reason in ("ipv4_fragment", "source_invalid", "protocol_unknown", "tcp_header", "tcp_checksum", "icmp_ignored", "icmp_malformed", "no_connection",
                       "listen_unexpected", "listen_ack"):
            self.assertGreater(dropped.get(reason, 0), 0, f"{reason}: {dropped}")

    test_storms.long = True

    def test_storm_of_syns_from_anywhere(self):
        """The short one, that every run has."""
        senders = self.storm(["-S -p 7 --rand-source", "-A -p 7 --rand-source", "-F -P -U -p 7 -b", "-S -p 7 -s 7 -k -a {0}", "-S -p 7 -f -d 200"])
        self.answers()
        for _, sender in senders:
            sender.wait_for(r"(\d+) packets t", 30)
        self.answers()
        self.assertEqual(self.server.stop(), 0, self.server.text())
        summary = self.server.summary()
        self.assertEqual(summary["mbufs_leaked"], 0)
        self.assertLessEqual(set(summary["connections"]["by_state"]), {"SYN-RECEIVED"})
        self.note = f"{summary['packets']['rx']:,} received"
