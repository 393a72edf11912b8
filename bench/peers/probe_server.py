"""The probes' servers in one epoll loop: TCP that echoes (once), UDP that counts or echoes, and a small DNS."""

import errno
import select
import socket
import struct
import time

ECHO, ECHO_ONCE, UDP_COUNT, UDP_ECHO, DNS = 7001, 7002, 7003, 7004, 53
SO_RCVBUFFORCE = 33
now = time.perf_counter


def dns_answer(q):
    # echo the question, one A record that may be kept for a minute; enough for any forwarder
    if len(q) < 17:
        return None
    i = 12
    while q[i]:
        i += q[i] + 1
    end = i + 5
    return q[:2] + b"\x85\x80" + b"\0\1\0\1\0\0\0\0" + q[12:end] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3"


def server():
    ep = select.epoll()
    lst, conns, crr = {}, {}, set()
    both = socket.has_dualstack_ipv6()
    for port in (ECHO, ECHO_ONCE):
        family = socket.AF_INET6 if both else socket.AF_INET
        s = socket.create_server(("", port), family=family, backlog=16384, dualstack_ipv6=both)
        s.setblocking(False)
        lst[s.fileno()] = (s, port)
        ep.register(s.fileno(), select.EPOLLIN)
    udp = {}
    for port in (UDP_COUNT, UDP_ECHO, DNS):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        except OSError:
            pass
        s.bind(("0.0.0.0", port))
        s.setblocking(False)
        udp[s.fileno()] = (s, port)
        ep.register(s.fileno(), select.EPOLLIN)
    count = 0
    print("up", flush=True)
    while True:
        for fd, _ in ep.poll():
            c = conns.get(fd)
            if c is not None:
                try:
                    d = c.recv(65536)
                    if d:
                        c.send(d)
                        if fd not in crr:
                            continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                crr.discard(fd)
                del conns[fd]
                ep.unregister(fd)
                c.close()
            elif fd in lst:
                s, port = lst[fd]
                for _ in range(64):
                    try:
                        c, _a = s.accept()
                    except OSError:
                        break
                    c.setblocking(False)
                    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    conns[c.fileno()] = c
                    if port == ECHO_ONCE:
                        crr.add(c.fileno())
                    ep.register(c.fileno(), select.EPOLLIN)
            else:
                s, port = udp[fd]
                for _ in range(256):
                    try:
                        d, a = s.recvfrom(65536)
                    except OSError:
                        break
                    if port == UDP_ECHO:
                        s.sendto(d, a)
                    elif port == DNS:
                        r = dns_answer(d)
                        if r:
                            try:
                                s.sendto(r, a)
                            except OSError:
                                pass
                    elif d[0] == 0:  # data
                        count += 1
                    elif d[0] == 1:  # reset
                        count = 0
                        s.sendto(b"\1ok", a)
                    elif d[0] == 2:  # how many
                        s.sendto(b"\2" + struct.pack("!Q", count), a)
                    elif d[0] == 3:  # blast back: secs, size, pps
                        secs, size, pps = struct.unpack("!dII", d[1:17])
                        s.setblocking(True)
                        n = blast(lambda b, s=s, a=a: s.sendto(b, a), secs, size, pps)
                        time.sleep(0.3)
                        s.setblocking(False)
                        for _ in range(3):
                            s.sendto(b"\4" + struct.pack("!Q", n), a)
                            time.sleep(0.02)


def blast(send, secs, size, pps):
    buf = b"\0" * size
    n, t0 = 0, now()
    end = t0 + secs
    while True:
        if pps:
            t = now()
            if t >= end:
                break
            due = int((t - t0) * pps)
            if due <= n:
                time.sleep(0.0005)
                continue
            k = min(due - n, 64)
        else:
            if now() >= end:
                break
            k = 64
        for _ in range(k):
            try:
                send(buf)
            except OSError as e:
                if e.errno not in (errno.ENOBUFS, errno.EAGAIN, errno.ECONNREFUSED):
                    raise
        n += k
    return n
