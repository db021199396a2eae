"""Network namespaces with a Linux host on one end of a link and the program on the other."""
import atexit
import itertools
import os
import re
import shutil
import sys
import unittest

from program.process import ROOT, Background, Serve, run

OURS, KERNEL = "198.18.0.2", "198.18.0.1"
_names = (f"estab-{os.getpid()}-{n}" for n in itertools.count())
_namespaces = []


class Namespace:
    def __init__(self):
        self.name = next(_names)
        self.must("ip", "netns", "add", self.name, inside=False)
        _namespaces.append(self)
        self.must("ip", "link", "set", "lo", "up")
        for setting in ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1", "net.ipv4.ip_forward=0",
                        "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_syn_backlog=16384", "net.core.somaxconn=16384"):
            self.must("sysctl", "-qw", setting)

    @property
    def prefix(self):
        return ["ip", "netns", "exec", self.name]

    def run(self, *command, **how):
        return run(*self.prefix, *command, **how)

    def must(self, *command, inside=True, **how):
        done = run(*(self.prefix if inside else []), *command, **how)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def remove(self):
        if self in _namespaces:
            _namespaces.remove(self)
            run("ip", "netns", "del", self.name)


@atexit.register
def _remove_all():
    for namespace in list(_namespaces):
        namespace.remove()


class Tap:
    """The program makes a TAP; the kernel has its other side, in the same namespace."""
    device, interface = "net_tap0,iface=estab0", "estab0"

    def __init__(self):
        self.ours = self.kernel = Namespace()
        # It stays when the program ends, so it can be set up before the program begins.
        self.kernel.must("ip", "tuntap", "add", "dev", self.interface, "mode", "tap", "multi_queue")
        self.kernel.must("ip", "address", "add", f"{KERNEL}/24", "dev", self.interface)
        self.kernel.must("ip", "link", "set", self.interface, "up")

    def remove(self):
        self.kernel.remove()


class AfPacket:
    """A veth pair: the program reads and writes one end by AF_PACKET, the kernel has the other in a namespace of its own."""
    device, interface = "net_af_packet0,iface=estab0", "veth0"

    def __init__(self):
        self.ours, self.kernel = Namespace(), Namespace()
        self.ours.must("ip", "link", "add", "estab0", "type", "veth", "peer", "name", self.interface, "netns", self.kernel.name)
        # The kernel would leave checksums unfinished: there is no wire between the ends of a veth.
        self.kernel.must("ethtool", "-K", self.interface, "tx", "off")
        self.kernel.must("ip", "address", "add", f"{KERNEL}/24", "dev", self.interface)
        self.kernel.must("ip", "link", "set", self.interface, "up")
        self.ours.must("ip", "link", "set", "estab0", "up")

    def remove(self):
        self.ours.remove()
        self.kernel.remove()


def missing(link):
    """Why interop can't be tested here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if link is Tap and not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    for tool in ("ip", "ethtool", "nft"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    probe = f"{next(_names)}"
    if run("ip", "netns", "add", probe).returncode != 0:
        return "network namespaces can't be made"
    run("ip", "netns", "del", probe)
    return None


class OnLink(unittest.TestCase):
    """A case on a link of its own; concrete classes name `Link`."""
    Link = None

    @classmethod
    def setUpClass(cls):
        cls.missing = missing(cls.Link)

    def setUp(self):
        if self.missing:
            self.skipTest(self.missing)
        self.link = self.Link()
        self.addCleanup(self.link.remove)
        self.kernel = self.link.kernel

    def lose(self, percent):
        """From now on the link loses packets at random, in each direction."""
        self.kernel.must("nft", "add table netdev loss")
        for hook in ("ingress", "egress"):
            self.kernel.must("nft", f"add chain netdev loss {hook} {{ type filter hook {hook} device {self.link.interface} priority 0; }}")
            self.kernel.must("nft", f"add rule netdev loss {hook} numgen random mod 100 < {percent} counter drop")

    def lost(self):
        """How many packets were, by direction."""
        counts = [int(n) for n in re.findall(r"counter packets (\d+)", self.kernel.must("nft", "list", "ruleset"))]
        self.assertEqual(len(counts), 2)
        return counts

    def serve(self, *listen, time_wait="1s", options=()):
        ports = [word for port in listen for word in ("--listen", port)]
        serve = Serve("--device", self.link.device, "--address", f"{OURS}/24", *ports, "--time-wait", time_wait, "--mbufs", 16384, *options,
                      prefix=self.link.ours.prefix)
        self.addCleanup(serve.close)
        return serve

    def finish(self, serve, accepted=None):
        """Nothing stays behind: no connection once TIME-WAIT is over, no mbuf at the end."""
        serve.wait_idle()
        self.assertEqual(serve.stop(), 0, serve.text())
        summary = serve.summary()
        self.assertEqual(summary["mbufs_leaked"], 0, serve.text())
        self.assertEqual((summary["connections"]["active"], summary["connections"]["by_state"]), (0, {}))
        if accepted is not None:
            self.assertEqual(summary["connections"]["accepted"], accepted)
        return summary

    def peer(self, *arguments):
        """tests/interop/peer.py on the kernel's end, in the background."""
        peer = Background(*self.kernel.prefix, sys.executable, "-u", ROOT / "tests" / "interop" / "peer.py", *arguments)
        self.addCleanup(peer.close)
        return peer
