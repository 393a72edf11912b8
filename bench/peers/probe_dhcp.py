"""How long until a DHCP server answers: DISCOVER every 20 ms until the first OFFER."""

import socket
import struct
import time


def csum(b):
    if len(b) & 1:
        b += b"\0"
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    s = (s & 0xFFFF) + (s >> 16)
    return ~(s + (s >> 16)) & 0xFFFF


def discover(mac, xid):
    m = bytes.fromhex(mac.replace(":", ""))
    d = struct.pack("!BBBBIHH", 1, 1, 6, 0, xid, 0, 0x8000) + b"\0" * 16 + m + b"\0" * 10 + b"\0" * 192
    d += b"\x63\x82\x53\x63" + b"\x35\1\1" + b"\x37\3\1\3\6" + b"\xff"
    d = d.ljust(300, b"\0")
    u = struct.pack("!HHHH", 68, 67, 8 + len(d), 0) + d
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(u), 1, 0, 64, 17, 0, b"\0" * 4, b"\xff" * 4)
    ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
    return b"\xff" * 6 + m + b"\x08\0" + ip + u


def offer(f, xid):
    if len(f) < 14 + 20 + 8 + 240 or f[12:14] != b"\x08\0" or f[23] != 17:
        return None
    h = 14 + (f[14] & 15) * 4
    if f[h : h + 2] != b"\0\x43" or struct.unpack("!I", f[h + 12 : h + 16])[0] != xid:
        return None
    return socket.inet_ntoa(f[h + 24 : h + 28])


def dhcp_if(ifn, mac, limit):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((ifn, 0))
    s.settimeout(0.02)
    end = time.time() + limit
    f = discover(mac, 0x1234)
    while time.time() < end:
        try:
            s.send(f)
        except OSError:
            time.sleep(0.005)
            continue
        t = time.time() + 0.02
        while time.time() < t:
            try:
                a = offer(s.recv(4096), 0x1234)
            except OSError:
                break
            if a:
                return {"addr": a, "t": time.time()}
    return {"addr": None, "t": None}


def dhcp_sock(path, mac, limit):
    end = time.time() + limit
    tconn = None
    while time.time() < end:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
        except OSError:
            s.close()
            time.sleep(0.001)
            continue
        tconn = time.time()
        f = discover(mac, 0x1234)
        s.settimeout(0.02)
        buf = b""
        while time.time() < end:
            s.sendall(struct.pack("!I", len(f)) + f)
            t = time.time() + 0.02
            while time.time() < t:
                try:
                    d = s.recv(65536)
                except OSError:
                    break
                if not d:
                    return {"addr": None, "t": None, "tconn": tconn}
                buf += d
                while len(buf) >= 4:
                    n = struct.unpack("!I", buf[:4])[0]
                    if len(buf) < 4 + n:
                        break
                    a = offer(buf[4 : 4 + n], 0x1234)
                    buf = buf[4 + n :]
                    if a:
                        return {"addr": a, "t": time.time(), "tconn": tconn}
    return {"addr": None, "t": None, "tconn": tconn}
