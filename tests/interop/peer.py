#!/usr/bin/env python3
"""A client or server on the kernel's sockets that opens, or accepts, many connections and closes them in a given way.

usage: peer.py connect ADDRESS PORT --close HOW [--count N] [--concurrency N]
       peer.py serve PORT --close HOW [--count N]
What --concurrency (100) connections have under way fits into a device's queue, so a RST, which nobody sends again, is not lost there.
HOW: first (close at once), last (after the other side), half (shut down sending, then wait for the other side), rst (SO_LINGER 0)
Ends with one line of JSON: how many were done, and what went wrong.
"""
import argparse
import collections
import errno
import json
import select
import socket
import struct
import sys
import time


class Peer:
    def __init__(self, options):
        self.options = options
        self.epoll = select.epoll()
        self.open = {}  # by descriptor
        self.done = 0
        self.errors = collections.Counter()

    def established(self, sock):
        how = self.options.close
        if how == "rst":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if how in ("first", "rst"):
            self.close(sock)
            return
        if how == "half":
            sock.shutdown(socket.SHUT_WR)
        self.epoll.modify(sock.fileno(), select.EPOLLIN)

    def readable(self, sock):
        try:
            if sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError as error:
            self.failed(error.errno)
        self.close(sock)

    def failed(self, number):
        self.errors[errno.errorcode.get(number, str(number))] += 1

    def close(self, sock):
        self.open.pop(sock.fileno(), None)
        sock.close()
        self.done += 1

    def add(self, sock, events):
        sock.setblocking(False)
        self.open[sock.fileno()] = sock
        self.epoll.register(sock.fileno(), events)

    def connect_one(self):
        sock = socket.socket()
        self.add(sock, select.EPOLLOUT)
        error = sock.connect_ex((self.options.address, self.options.port))
        if error not in (0, errno.EINPROGRESS):
            self.failed(error)
            self.close(sock)

    def connected(self, sock):
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error != 0:
            self.failed(error)
            self.close(sock)
        else:
            self.established(sock)

    def run_client(self):
        begun = 0
        while self.done < self.options.count:
            while begun < self.options.count and len(self.open) < self.options.concurrency:
                self.connect_one()
                begun += 1
            for number, events in self.wait():
                sock = self.open[number]
                self.connected(sock) if events & select.EPOLLOUT else self.readable(sock)

    def run_server(self):
        listener = socket.create_server(("", self.options.port), backlog=16384)
        listener.setblocking(False)
        self.epoll.register(listener.fileno(), select.EPOLLIN)
        print("ready")
        while self.done < self.options.count:
            for number, _ in self.wait():
                if number != listener.fileno():
                    self.readable(self.open[number])
                    continue
                try:
                    for _ in range(256):
                        sock, _ = listener.accept()
                        self.add(sock, select.EPOLLIN)
                        self.established(sock)
                except BlockingIOError:
                    pass

    def wait(self):
        """Events; in a minute without one, the end."""
        events = self.epoll.poll(60)
        if not events:
            raise TimeoutError
        return events

    def run(self):
        begin = time.monotonic()
        try:
            self.run_client() if self.options.command == "connect" else self.run_server()
        except TimeoutError:
            self.errors["silence"] += 1
        print(json.dumps({"done": self.done, "errors": self.errors, "seconds": time.monotonic() - begin}))
        return 0 if not self.errors else 1


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("connect", "serve"):
        command = commands.add_parser(name)
        if name == "connect":
            command.add_argument("address")
            command.add_argument("--concurrency", type=int, default=100)
        command.add_argument("port", type=int)
        command.add_argument("--close", choices=["first", "last", "half", "rst"], required=True)
        command.add_argument("--count", type=int, default=10000)
    return Peer(parser.parse_args()).run()


sys.exit(main())
