"""The scenarios. Each takes a lab and the seconds of a measurement, and returns {figure: {key: value}}."""

import json
import re
import subprocess
import time

from adapters import expand
from lab import MACS
from measure import iperf, metered, metered_probe, probe
from processes import PROBES, PYTHON, cpu, raise_descriptor_limit, rss, sh


def tcp(lab, seconds):
    figures = {}
    for streams in (1, 8):
        ends = (lab.server_namespace, lab.guests[0], lab.destination, seconds, streams)
        figures["g2h_%d" % streams] = iperf(lab, *ends)
        figures["h2g_%d" % streams] = iperf(lab, *ends, reverse=True)
    return figures


def switch_tcp(lab, seconds):
    return {
        "tcp_%d" % streams: iperf(lab, lab.guests[1], lab.guests[0], lab.destination, seconds, streams)
        for streams in (1, 8)
    }


def udp(lab, seconds):
    figures = {}
    lab.set_tap_queue(500)  # a deep queue would only be counted as throughput
    for tag, size, rate in (("64_20k", 64, 20000), ("64_max", 64, 0), ("1400_max", 1400, 0)):
        for direction, prefix in (("up", "g2h_"), ("down", "h2g_")):
            words = ("udp", lab.destination, 7003, direction, seconds, size, rate)
            try:
                result = metered(lab, lambda words=words: probe(lab, lab.guests[0], *words))
            except RuntimeError as error:
                figures[prefix + tag] = {"error": str(error)}
                continue
            if result["received"]:
                result["back_us_per_pkt"] = round(result["cpu_back_s"] / result["received"] * 1e6, 2)
                result["pump_us_per_pkt"] = round(result["cpu_pump_s"] / result["received"] * 1e6, 2)
            figures[prefix + tag] = result
    return figures


def ping_pong(lab, seconds):
    guest = lab.guests[0]
    return {
        "tcp": metered_probe(lab, guest, "rr", lab.destination, 7001, seconds, 64),
        "udp": metered_probe(lab, guest, "udprr", lab.destination, 7004, seconds, 64),
    }


def connect_request_response(lab, seconds):
    return {"crr": metered_probe(lab, lab.guests[0], "crr", lab.destination, 7002, seconds)}


def dns(lab, seconds):
    server = lab.adapter.get("dns")
    if not server:
        return {}
    modes = ("one", "new", "fresh")
    figures = {mode: metered_probe(lab, lab.guests[0], "dns", server, 53, seconds, mode) for mode in modes}
    figures["rss_mb_after"] = {"v": rss(lab.measured)}
    return figures


def icmp(lab, seconds):
    words = "ping -c 100 -i 0.005 -W 1".split() + [lab.destination]
    text = sh("ip", "netns", "exec", lab.guests[0], *words, ok=False)
    received = re.search(r"(\d+) received", text)
    mean = re.search(r"= [\d.]+/([\d.]+)/", text)
    return {
        "icmp": {
            "received_of_100": int(received.group(1)) if received else 0,
            "avg_us": mean and round(float(mean.group(1)) * 1000),
        }
    }


def connections(lab, count):
    idle, cpu_before = rss(lab.measured), cpu(lab.measured)
    words = [PYTHON, PROBES, "conns", lab.destination, "7001", str(count), "2"]
    process = subprocess.Popen(
        ["ip", "netns", "exec", lab.guests[0], *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=raise_descriptor_limit,
    )
    try:
        process.stdout.readline()  # all are open
        full = rss(lab.measured)
        time.sleep(0.3)
        cpu_full = cpu(lab.measured)
        time.sleep(1.0)
        cpu_later = cpu(lab.measured)
        process.stdin.write("\n")
        process.stdin.flush()
        output, complaints = process.communicate(timeout=90)
        if not output.strip():
            raise RuntimeError("conns: " + complaints[-300:] + lab.log())
        result = json.loads(output.strip().splitlines()[-1])
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    dead = [p.args[4] for p in lab.back_ends if p.poll() is not None]
    beside = result.pop("rr")
    result.update(
        rss_idle_mb=idle,
        rss_mb=full,
        kb_per_conn=round((full - idle) * 1024 / max(1, result["established"]), 1),
        setup_cpu_s=round(cpu_full - cpu_before, 2),
        idle_cpu_pct=round((cpu_later - cpu_full) * 100, 1),
        rr_error=beside.get("error"),
        rr_p50_us=beside["p50_us"],
        rr_p99_us=beside["p99_us"],
        backend_died=dead or None,
    )
    return {"conns_%d" % count: result}


def connections_2000(lab, seconds):
    return connections(lab, 2000)


def connections_9000(lab, seconds):
    """passt takes two descriptors per connection, and a limit of 20000 is usual."""
    return connections(lab, 9000)


def forwards(lab, seconds):
    """From the host into the guest through ports 15201, 17001 and 17002, which lead to 5201, 7001 and 7002."""
    address = lab.adapter.get("fwd")
    if not address:
        return {}
    guest = lab.guests[0]
    lab.start_server(guest)
    return {
        "tcp_in_1": iperf(lab, guest, lab.host, address, seconds, 1, port=15201),
        "tcp_out_1": iperf(lab, guest, lab.host, address, seconds, 1, reverse=True, port=15201),
        "rr": metered_probe(lab, lab.host, "rr", address, 17001, seconds, 64),
        "crr": metered_probe(lab, lab.host, "crr", address, 17002, seconds),
    }


def idle(lab, seconds):
    time.sleep(0.3)
    before = cpu(lab.measured)
    time.sleep(2)
    return {"idle": {"rss_mb": rss(lab.measured), "cpu_pct": round((cpu(lab.measured) - before) / 2 * 100, 1)}}


def start(lab, seconds):
    """From spawn to the first DHCP OFFER; brings the lab up itself."""
    adapter, result = lab.adapter, {}
    if adapter["wire"] in ("veth", "loop"):
        return {}
    lab.make_namespaces()
    if adapter["wire"] == "stream":
        words = [PYTHON, PROBES, "dhcp-sock", lab.socket, MACS[0], "10"]
        client = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        time.sleep(0.25)  # the probe is running
        began = time.time()
        lab.spawn(lab.host, expand(adapter["start"], lab.variables), lab.back_ends, stdin=subprocess.PIPE)
        lease = json.loads(client.communicate(timeout=15)[0].strip().splitlines()[-1])
        result["listen_ms"] = lease.get("tconn") and round((lease["tconn"] - began) * 1e3, 1)
    else:
        began = time.time()
        lab.start_back_end()
        lab.start_wire()
        result["wire_ms"] = round((time.time() - began) * 1e3, 1)
        lease = probe(lab, lab.guests[0], "dhcp-if", lab.devices[0], MACS[0], 10)
    result["offer_ms"] = lease["t"] and round((lease["t"] - began) * 1e3, 1)
    return {"start": result}


BY_KIND = {
    "nat": {
        "idle": idle,
        "start": start,
        "tcp": tcp,
        "tcp6": tcp,
        "udp": udp,
        "rr": ping_pong,
        "crr": connect_request_response,
        "dns": dns,
        "icmp": icmp,
        "conns": connections_2000,
        "conns9k": connections_9000,
        "fwd": forwards,
    },
    "switch": {"idle": idle, "swtcp": switch_tcp, "udp": udp, "rr": ping_pong},
}
ALL = list(dict.fromkeys(name for names in BY_KIND.values() for name in names))
# What a second, larger MTU is worth measuring for.
LARGE_ONLY = {"tcp", "tcp6", "swtcp", "fwd"}
# Those of a lab whose server is at an IPv6 address.
IPV6 = {"tcp6"}
