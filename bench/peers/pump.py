#!/usr/bin/env python3
"""TAP <-> stream socket, each frame behind a 4-byte big-endian length: what QEMU's -netdev stream puts on the wire.

  pump.py IFNAME PATH            connect to PATH
  pump.py --listen IFNAME PATH   accept one connection

One write per frame, as QEMU does it; when the socket is full the TAP is left unread, as a virtio queue would be.
BENCH_PUMP_BATCH=N puts up to N frames into one write instead.
(QEMU itself cannot serve here: TAP and stream can only meet on a hubport, and hub + stream loses its place in the
byte stream after the first partial write.  See README.md, traps.)
"""

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
MAX_FRAME, MIN_FRAME = 69632, 14
IN, OUT, GONE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP | select.EPOLLERR
BATCH = int(os.environ.get("BENCH_PUMP_BATCH", "1"))
prefix = struct.Struct("!I")


class Pump:
    def __init__(self, tap, stream):
        self.tap, self.stream = tap, stream
        self.epoll = select.epoll()
        self.epoll.register(tap, IN)
        self.epoll.register(stream, IN)
        self.buffer = bytearray(512 << 10)
        self.view = memoryview(self.buffer)
        self.have = 0
        self.rest = None  # what a partial write left over

    def run(self):
        while True:
            for fd, events in self.epoll.poll():
                if fd == self.tap:
                    self.to_stream()
                    continue
                if events & OUT:
                    self.write_rest()
                if events & (IN | GONE):
                    self.to_tap()

    def to_tap(self):
        buffer, view, tap, write, length_at = self.buffer, self.view, self.tap, os.write, prefix.unpack_from
        try:
            n = self.stream.recv_into(view[self.have :])
        except BlockingIOError:
            return
        if n == 0:
            sys.exit("pump: the back-end closed the connection")
        have, at = self.have + n, 0
        while have - at >= 4:
            length = length_at(buffer, at)[0]
            if not MIN_FRAME <= length <= MAX_FRAME:
                sys.exit("pump: bad frame length %d from the back-end" % length)
            end = at + 4 + length
            if end > have:
                break
            try:
                write(tap, view[at + 4 : end])
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EAGAIN, errno.EINVAL):
                    raise
            at = end
        if at:
            buffer[: have - at] = buffer[at:have]
        self.have = have - at

    def to_stream(self):
        if self.rest is not None:
            return
        tap, read, pack, send = self.tap, os.read, prefix.pack, self.stream.sendmsg
        for _ in range(64):
            parts, total = [], 0
            try:
                while len(parts) < 2 * BATCH:
                    frame = read(tap, 70000)
                    parts += (pack(len(frame)), frame)
                    total += 4 + len(frame)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EIO, errno.EBADFD):
                    raise
            if not parts:
                return
            try:
                sent = send(parts)
            except BlockingIOError:
                sent = 0
            if sent < total:
                self.rest = memoryview(b"".join(parts))[sent:]
                self.epoll.modify(self.stream, IN | OUT)
                self.epoll.modify(tap, 0)
                return

    def write_rest(self):
        if self.rest is None:
            return
        try:
            self.rest = self.rest[self.stream.send(self.rest) :]
        except BlockingIOError:
            return
        if not self.rest:
            self.rest = None
            self.epoll.modify(self.stream, IN)
            self.epoll.modify(self.tap, IN)


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def accept_at(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    return listener.accept()[0]


def connect_to(path):
    stream = socket.socket(socket.AF_UNIX)
    end = time.time() + 10
    while True:
        try:
            stream.connect(path)
            return stream
        except OSError:
            if time.time() > end:
                raise
            time.sleep(0.005)


def main():
    name, path = sys.argv[-2:]
    tap = open_tap(name)
    stream = accept_at(path) if "--listen" in sys.argv else connect_to(path)
    stream.setblocking(False)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    pump = Pump(tap, stream)
    pump.run()


main()
