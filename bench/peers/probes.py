#!/usr/bin/env python3
"""Probe programs that bench.py runs inside the namespaces.

  probes.py spin CPU                SCHED_IDLE loop on one CPU
  probes.py server                  echo/CRR/UDP/DNS responder (one epoll loop)
  probes.py rr      DST PORT SECS SIZE     TCP ping-pong, one request in flight
  probes.py udprr   DST PORT SECS SIZE     UDP ping-pong
  probes.py crr     DST PORT SECS          connect-request-response-close, one at a time
  probes.py udp     DST PORT DIR SECS SIZE PPS   UDP blast; DIR up|down; PPS 0 = as fast as it goes
  probes.py conns   DST PORT N SECS        open N connections, hold, ping-pong on one more
  probes.py dns     DST PORT SECS MODE     MODE one (one socket, 32 in flight) | fresh (the same, no name twice) | new (new port per query, 16 in flight)
  probes.py dhcp-if IFACE MAC LIMIT        DHCP DISCOVER every 20 ms on an interface until OFFER
  probes.py dhcp-sock PATH MAC LIMIT       same, straight over a stream socket with 4-byte length prefix

Every client prints one JSON object on its last line.
"""

import json
import os
import select
import selectors
import socket
import struct
import sys
import time

from probe_dhcp import dhcp_if, dhcp_sock
from probe_server import SO_RCVBUFFORCE, blast, server

now = time.perf_counter


def pct(v, p):
    return v[min(len(v) - 1, int(len(v) * p))] if v else None


def summary(lat, secs):
    lat.sort()

    def us(seconds):
        return None if seconds is None else round(seconds * 1e6, 1)

    return {
        "n": len(lat),
        "per_s": round(len(lat) / secs, 1),
        "p50_us": us(pct(lat, 0.5)),
        "p99_us": us(pct(lat, 0.99)),
        "max_us": us(lat[-1] if lat else None),
    }


def rr(dst, port, secs, size):
    s = socket.create_connection((dst, port), 10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(10)
    buf = b"x" * size
    lat, t0 = [], now()
    warm = t0 + 0.2
    end = t0 + 0.2 + secs
    while True:
        a = now()
        if a >= end:
            break
        s.sendall(buf)
        got = 0
        while got < size:
            d = s.recv(65536)
            if not d:
                raise SystemExit("closed")
            got += len(d)
        b = now()
        if a > warm:
            lat.append(b - a)
    s.close()
    return summary(lat, secs)


def udprr(dst, port, secs, size):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((dst, port))
    s.settimeout(0.2)
    lat, lost, seq = [], 0, 0
    end = now() + secs
    while now() < end:
        seq += 1
        b = struct.pack("!Q", seq).ljust(size, b"x")
        a = now()
        s.send(b)
        try:
            while s.recv(65536)[:8] != b[:8]:
                pass
            lat.append(now() - a)
        except OSError:
            lost += 1
    r = summary(lat, secs)
    r["lost"] = lost
    return r


def crr(dst, port, secs):
    lat, err = [], 0
    t0 = now()
    end = t0 + secs
    while True:
        a = now()
        if a >= end:
            break
        s = socket.socket()
        s.settimeout(5)
        try:
            s.connect((dst, port))
            s.send(b"x" * 64)
            if s.recv(4096):
                while s.recv(4096):
                    pass
                lat.append(now() - a)
            else:
                err += 1
        except OSError:
            err += 1
        s.close()
    r = summary(lat, now() - t0)
    r["errors"] = err
    return r


def udp(dst, port, dirn, secs, size, pps):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
    except OSError:
        pass
    s.connect((dst, port))
    s.settimeout(0.5)

    def ask(m, kind):
        for _ in range(40):
            try:
                s.send(m)
                while True:
                    d = s.recv(2048)
                    if d[0] == kind:
                        return d
            except OSError:
                pass
        raise SystemExit("no answer from the UDP server")

    ask(b"\1", 1)
    if dirn == "up":
        n = blast(s.send, secs, size, pps)
        time.sleep(0.4)
        got = struct.unpack("!Q", ask(b"\2", 2)[1:9])[0]
    else:
        s.send(b"\3" + struct.pack("!dII", secs, size, pps))
        got, n, s2 = 0, None, now() + secs + 3
        rb = bytearray(2048)
        s.settimeout(1.5)
        try:
            while now() < s2:
                s.recv_into(rb)
                if rb[0] == 0:
                    got += 1
                elif rb[0] == 4:
                    n = struct.unpack("!Q", rb[1:9])[0]
                    break
        except OSError:
            pass
    return {
        "sent": n,
        "received": got,
        "sent_pps": n and round(n / secs),
        "recv_pps": round(got / secs),
        "loss_pct": n and round(100 * (1 - got / n), 2),
    }


def conns(dst, port, n, secs):
    sel = selectors.EpollSelector()
    est, err, started, pend = [], {}, 0, {}
    t0 = now()
    limit = t0 + 60
    WINDOW = 100
    while (started < n or pend) and now() < limit:
        while started < n and len(pend) < WINDOW:
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((dst, port))
            started += 1
            pend[s.fileno()] = [s, 0, now()]
            sel.register(s, selectors.EVENT_WRITE)
        for key, _ev in sel.select(0.5):
            p = pend.get(key.fd)
            if p is None:
                continue
            s = p[0]
            try:
                if p[1] == 0:
                    e = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if e:
                        raise OSError(e, os.strerror(e))
                    s.send(b"h")
                    p[1] = 1
                    sel.modify(s, selectors.EVENT_READ)
                else:
                    if s.recv(16) != b"h":
                        raise OSError(0, "closed")
                    sel.unregister(s)
                    del pend[key.fd]
                    est.append(s)
            except OSError as e:
                sel.unregister(s)
                del pend[key.fd]
                s.close()
                err[e.strerror] = err.get(e.strerror, 0) + 1
        for fd, p in list(pend.items()) if len(pend) == WINDOW or started == n else ():
            if now() - p[2] > 10:
                sel.unregister(p[0])
                del pend[fd]
                p[0].close()
                err["timeout 10 s"] = err.get("timeout 10 s", 0) + 1
    dt = now() - t0
    print(json.dumps({"established": len(est)}), flush=True)
    sys.stdin.readline()  # the driver reads RSS now
    try:
        r = rr(dst, port, secs, 64)
    except (OSError, SystemExit) as e:
        r = {"p50_us": None, "p99_us": None, "error": str(e)}
    # all still alive?
    alive = 0
    for s in est:
        try:
            s.setblocking(True)
            s.settimeout(2)
            s.send(b"z")
        except OSError:
            pass
    dead_end = now() + 15
    for s in est:
        try:
            s.settimeout(max(0.01, min(2, dead_end - now())))
            if s.recv(16):
                alive += 1
        except OSError:
            pass
    return {
        "asked": n,
        "established": len(est),
        "alive_after": alive,
        "setup_s": round(dt, 2),
        "per_s": round(len(est) / dt, 1),
        "errors": err,
        "rr": r,
    }


def dns(dst, port, secs, mode):
    def q(i):
        name = b"\x08n%07d" % i if mode == "fresh" else b"\7name%03d" % (i % 1000)
        return struct.pack("!HHHHHH", i & 0xFFFF, 0x100, 1, 0, 0, 0) + name + b"\4test\0\0\1\0\1"

    lat, lost, t0 = [], 0, now()
    end = t0 + secs
    if mode != "new":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((dst, port))
        s.settimeout(1)
        out, i = {}, 0
        while now() < end:
            while len(out) < 32:
                i += 1
                out[i & 0xFFFF] = now()
                s.send(q(i))
            try:
                d = s.recv(2048)
                t = out.pop(d[0] << 8 | d[1], None)
                if t:
                    lat.append(now() - t)
            except OSError:
                lost += len(out)
                out.clear()
    else:
        ep = select.epoll()
        live, i = {}, 0
        while now() < end:
            while len(live) < 16:
                i += 1
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.connect((dst, port))
                s.send(q(i))
                live[s.fileno()] = (s, now())
                ep.register(s.fileno(), select.EPOLLIN)
            evs = ep.poll(0.5)
            for fd, _e in evs:
                s, t = live.pop(fd)
                try:
                    s.recv(2048)
                    lat.append(now() - t)
                except OSError:
                    lost += 1
                s.close()
            t = now()
            for fd, (s, a) in list(live.items()) if not evs else ():
                if t - a > 1:
                    lost += 1
                    s.close()
                    del live[fd]
    r = summary(lat, secs)
    r["lost"] = lost
    return r


def spin(cpu):
    pp = os.getppid()
    os.nice(19 - os.nice(0))
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while os.getppid() == pp:
        for _ in range(200000):
            pass


if __name__ == "__main__":
    a = sys.argv[1:]
    f = {
        "spin": lambda: spin(int(a[1])),
        "server": lambda: server(),
        "rr": lambda: rr(a[1], int(a[2]), float(a[3]), int(a[4])),
        "udprr": lambda: udprr(a[1], int(a[2]), float(a[3]), int(a[4])),
        "crr": lambda: crr(a[1], int(a[2]), float(a[3])),
        "udp": lambda: udp(a[1], int(a[2]), a[3], float(a[4]), int(a[5]), int(a[6])),
        "conns": lambda: conns(a[1], int(a[2]), int(a[3]), float(a[4])),
        "dns": lambda: dns(a[1], int(a[2]), float(a[3]), a[4]),
        "dhcp-if": lambda: dhcp_if(a[1], a[2], float(a[3])),
        "dhcp-sock": lambda: dhcp_sock(a[1], a[2], float(a[3])),
    }[a[0]]
    print(json.dumps(f()), flush=True)
