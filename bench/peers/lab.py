"""One back-end between two kernels: the host's namespace, and one or two namespaces that play the guests."""

import os
import shutil
import subprocess
import time

from adapters import expand
from processes import HERE, PROBES, PYTHON, raise_descriptor_limit, sh

ROOT = os.path.dirname(os.path.dirname(HERE))
PUMP = os.path.join(HERE, "pump.py")
QEMU = os.environ.get("PUMP_QEMU", "qemu-system-x86_64")
QEMU_ALONE = ["-M", "none", "-nodefaults", "-display", "none", "-serial", "none", "-monitor", "none"]

MACS = ["5a:94:ef:e4:0c:ee", "5a:94:ef:e4:0c:ef"]  # the first one has a static lease in gvproxy
HOST_ADDRESS = "10.77.0.1"
HOST_ADDRESS6 = "fd77::1"
TAP_QUEUE = int(os.environ.get("BENCH_TXQ", "20000"))

# Not the machine's default: with bbr every figure is another one (README, traps).
# cubic is refused in a new namespace unless the machine lists it as allowed; reno never is.
CONGESTION_CONTROL = os.environ.get("BENCH_CC", "reno")
SYSCTLS = [
    "net.ipv4.ip_local_port_range=1024 65500",
    "net.core.somaxconn=16384",
    "net.ipv4.tcp_max_syn_backlog=16384",
    "net.ipv4.ping_group_range=0 2147483647",
    "net.ipv4.tcp_congestion_control=" + CONGESTION_CONTROL,
] + [x for x in os.environ.get("BENCH_SYSCTL", "").split(";") if x]


class Lab:
    """`host` is the namespace of back-end, pumps and servers; `guests` are kernel stacks behind TAP devices."""

    def __init__(self, adapter, mtu=1500, ipv6=False):
        """`ipv6`: the guest is configured by the back-end's advertisement, and the server is at an IPv6 address."""
        self.adapter, self.mtu, self.ipv6 = adapter, mtu, ipv6
        prefix = "bp%d" % os.getpid()
        self.folder = "/tmp/" + prefix
        self.host, self.guests = prefix + "h", [prefix + "g0", prefix + "g1"]
        self.namespaces = [self.host] + self.guests
        self.taps = [prefix + "t0", prefix + "t1"]
        self.back_ends, self.pumps, self.others = [], [], []
        self.socket = self.folder + "/net.sock"
        self.devices = []
        self.variables = {
            "sock": self.socket,
            "mtu": mtu,
            "run": self.folder,
            "here": HERE,
            "vmlan": os.environ.get("BENCH_VMLAN") or os.path.join(ROOT, "dist", "main.js"),
            "gns": "/run/netns/" + self.guests[0],
            "mac": MACS[0],
        }

    # -- from nothing to a first echo, and back

    def up(self):
        self.make_namespaces()
        self.start_back_end()
        self.start_wire()
        self.give_addresses()
        self.server_namespace = self.host if self.adapter["kind"] == "nat" else self.guests[1]
        self.start_server(self.server_namespace)
        self.wait_for_an_echo()
        self.measured = self.back_ends or self.pumps

    def down(self):
        processes = self.others + self.pumps + self.back_ends
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for namespace in self.namespaces:
            sh("ip", "netns", "del", namespace, ok=False)
        shutil.rmtree("/etc/netns/" + self.host, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_namespaces(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        os.makedirs("/etc/netns/" + self.host, exist_ok=True)
        with open("/etc/netns/%s/resolv.conf" % self.host, "w") as f:
            f.write("nameserver %s\n" % HOST_ADDRESS)
        for namespace in self.namespaces:
            sh("ip", "netns", "add", namespace)
            families = ["net.ipv6.conf.%s.disable_ipv6=%d" % (where, not self.ipv6) for where in ("all", "default")]
            for setting in families + SYSCTLS:
                sh("ip", "netns", "exec", namespace, "sysctl", "-qw", setting)
            self.ip(namespace, "link set lo up")
        # An uplink with a default route, which passt wants; a veth pair, as not every kernel has dummy devices.
        self.ip(self.host, "link add up0 type veth peer name up1")
        self.ip(self.host, "addr add %s/24 dev up0" % HOST_ADDRESS)
        if self.ipv6:
            self.ip(self.host, "addr add %s/64 dev up0 nodad" % HOST_ADDRESS6)
        self.ip(self.host, "link set up1 up")
        self.ip(self.host, "link set up0 up")
        self.ip(self.host, "route add default via 10.77.0.254")

    def start_back_end(self):
        adapter = self.adapter
        if not adapter.get("start"):
            return
        # Standard input is a pipe: vde_switch ends at its end.
        self.spawn(self.host, expand(adapter["start"], self.variables), self.back_ends, stdin=subprocess.PIPE)
        default = ["{sock}"] if adapter["wire"] == "stream" else []
        for path in expand(adapter.get("wait_sock", default), self.variables):
            self.wait(lambda path=path: os.path.exists(path), "socket " + path)

    # -- the wire between back-end and guests; leaves the guests' devices up, without an address

    def start_wire(self):
        wires = {
            "stream": self.wire_stream,
            "pumps": self.wire_pumps,
            "netdev": self.wire_netdev,
            "onehub": self.wire_one_hub,
            "veth": self.wire_veth,
            "netns": self.wire_netns,
            "loop": lambda count: [],
        }
        self.devices = wires[self.adapter["wire"]](2 if self.adapter["kind"] == "switch" else 1)
        self.set_tap_queue(TAP_QUEUE)
        for guest, device in zip(self.guests, self.devices, strict=False):
            self.ip(guest, "link set %s up" % device)

    def wire_stream(self, count):
        sockets = expand(self.adapter.get("socks", ["{sock}"] * count), self.variables)
        for tap, path in zip(self.taps, sockets, strict=False):
            self.spawn(self.host, [PYTHON, PUMP, tap, path], self.pumps)
        return self.move_taps(count)

    def wire_pumps(self, count):
        """Two pumps on one socket, nothing between."""
        for tap, listen in zip(self.taps, (["--listen"], []), strict=True):
            self.spawn(self.host, [PYTHON, PUMP, *listen, tap, self.socket], self.pumps)
        return self.move_taps(count)

    def wire_netdev(self, count):
        """The back-end is inside QEMU: what the pump uses is the back-end's."""
        group = self.pumps if self.adapter.get("pump_only") else self.back_ends
        for i in range(count):
            netdev = self.adapter["netdevs"][i]
            words = [self.adapter.get("pump") or QEMU, *QEMU_ALONE, *tap_on_hub("t", self.taps[i], "h0")]
            words += expand(netdev, self.variables) + ["-netdev", "hubport,id=h1,hubid=0,netdev=s"]
            self.spawn(self.host, words, group)
            if any("server=on" in word for word in netdev):
                self.wait(lambda: os.path.exists(self.socket), "listening")
        return self.move_taps(count)

    def wire_one_hub(self, count):
        words = [QEMU, *QEMU_ALONE]
        for i in range(count):
            words += tap_on_hub("t%d" % i, self.taps[i], "h%d" % i)
        self.spawn(self.host, words, self.back_ends)
        return self.move_taps(count)

    def wire_veth(self, count):
        if count == 2:
            self.ip(self.host, "link add br0 type bridge")
            self.ip(self.host, "link set br0 up")
        for device in self.taps[:count]:
            peer = device + "p"
            self.ip(self.host, "link add %s type veth peer name %s" % (device, peer))
            if count == 2:
                self.ip(self.host, "link set %s master br0" % peer)
            else:
                self.ip(self.host, "addr add %s/24 dev %s" % (self.adapter["guest"]["gw"], peer))
            self.ip(self.host, "link set %s up mtu %d" % (peer, self.mtu))
            if self.adapter.get("no_offload"):
                for end in (peer, device):
                    ethtool = "ethtool -K %s tso off gso off gro off" % end
                    sh("ip", "netns", "exec", self.host, *ethtool.split(), ok=False)
        return self.move_taps(count)

    def wire_netns(self, count):
        """The back-end itself makes tap0 in the guest's namespace."""
        self.wait(lambda: has_link(self.guests[0], "tap0"), "tap0 in the guest namespace")
        return ["tap0"]

    def move_taps(self, count):
        for guest, tap, mac in zip(self.guests[:count], self.taps, MACS, strict=False):
            self.wait(lambda tap=tap: has_link(self.host, tap), "tap " + tap)
            self.ip(self.host, "link set %s netns %s" % (tap, guest))
            self.ip(guest, "link set %s address %s mtu %d" % (tap, mac, self.mtu))
        return self.taps[:count]

    def set_tap_queue(self, length):
        """The queue from guest to pump. A TAP drops when it is full, where a virtio-net guest would wait."""
        for guest, device in zip(self.guests, self.devices, strict=False):
            self.ip(guest, "link set %s txqueuelen %d" % (device, length))

    def give_addresses(self):
        adapter = self.adapter
        if adapter["wire"] == "loop":
            self.guests = [self.host, self.host]
            self.destination = HOST_ADDRESS
        elif adapter["kind"] == "switch":
            for i, guest in enumerate(self.guests):
                self.ip(guest, "addr add 10.88.0.%d/24 dev %s" % (i + 1, self.devices[i]))
            self.destination = "10.88.0.2"
        else:
            self.ip(self.guests[0], "addr replace %s dev %s" % (adapter["guest"]["addr"], self.devices[0]))
            if adapter["wire"] != "netns":
                self.ip(self.guests[0], "route replace default via %s" % adapter["guest"]["gw"])
            self.destination = HOST_ADDRESS6 if self.ipv6 else adapter.get("host", HOST_ADDRESS)
        for command in adapter.get("post", []):
            sh("ip", "netns", "exec", self.host, *expand(command, self.variables))

    # -- processes

    def ip(self, namespace, words):
        sh("ip", "-n", namespace, *words.split())

    def spawn(self, namespace, words, group, stdin=subprocess.DEVNULL, stdout=None):
        with open(self.folder + "/log", "ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *words],
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                preexec_fn=raise_descriptor_limit,
            )
        group.append(process)
        return process

    def start_server(self, namespace):
        words = [PYTHON, PROBES, "server"]
        server = self.spawn(namespace, words, self.others, stdout=subprocess.PIPE)
        if server.stdout.readline().strip() != b"up":
            raise RuntimeError("probe server: " + self.log())

    def wait_for_an_echo(self):
        words = ["ip", "netns", "exec", self.guests[0], PYTHON, PROBES, "rr", self.destination, "7001", "0.01", "8"]
        end = time.time() + 10
        while subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=15).returncode:
            if time.time() > end:
                raise RuntimeError("no path from guest to server: " + self.log())
            time.sleep(0.1)

    def wait(self, condition, what, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return
            for process in self.back_ends + self.pumps:
                if process.poll() is not None:
                    raise RuntimeError("%s died (%s): %s" % (process.args[4], process.returncode, self.log()))
            time.sleep(0.005)
        raise RuntimeError("timeout: %s: %s" % (what, self.log()))

    def log(self):
        try:
            with open(self.folder + "/log", errors="replace") as f:
                lines = [x for x in f.read().splitlines() if "with no nics" not in x and "syslog" not in x]
        except OSError:
            return ""
        return "\n".join(lines)[-1500:]


def tap_on_hub(name, tap, port):
    return [
        *("-netdev", "tap,id=%s,ifname=%s,script=no,downscript=no" % (name, tap)),
        *("-netdev", "hubport,id=%s,hubid=0,netdev=%s" % (port, name)),
    ]


def has_link(namespace, device):
    words = ["ip", "-n", namespace, "link", "show", device]
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
