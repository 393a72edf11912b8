#!/usr/bin/env python3
"""vmlan beside other user-mode network back-ends, side by side in one run.  See README.md.

bench.py list
bench.py run [-b a,b,c] [-s scenario,...|all] [-m 1500,65520] [-r 3] [-t 2] [-o out.json]
bench.py table [--best] FILE.json [FILE.json ...]
bench.py shell -b NAME                        one lab, left standing until Enter
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

from adapters import available, expand, load_adapters
from lab import CONGESTION_CONTROL, Lab
from processes import HERE, start_spinners, stop_spinners
from scenarios import ALL, BY_KIND, IPV6, LARGE_ONLY
from table import table

DEFAULT_SCENARIOS = "tcp,swtcp,rr"


def run(options):
    adapters = load_adapters()
    names = options.backend.split(",") if options.backend else [n for n in adapters if adapters[n].get("default")]
    for name in names:
        if name not in adapters:
            sys.exit("no back-end " + name)
        if not available(adapters[name]):
            sys.stderr.write("%s is not here; left out\n" % name)
    names = [name for name in names if available(adapters[name])]
    document = description(options, {name: adapters[name] for name in names})
    # Repetitions are the outer loop and back-ends the inner one: a slow minute of the machine hits all alike.
    for rep, mtu, scenario, name in plan(options, adapters, names):
        began = time.time()
        result = run_one(adapters[name], mtu, scenario, options)
        entry = {"backend": name, "mtu": mtu, "scenario": scenario, "rep": rep, **result}
        document["runs"].append(entry)
        progress = (rep, scenario, mtu, name, time.time() - began, brief(entry))
        sys.stderr.write("[%d] %-9s mtu %-5d %-22s %5.1fs  %s\n" % progress)
        if options.out:
            with open(options.out + ".tmp", "w") as f:
                json.dump(document, f, indent=1)
            os.replace(options.out + ".tmp", options.out)
    print(headline(document))
    print(table([document], {name: adapters[name]["kind"] for name in names}))


def plan(options, adapters, names):
    mtus = [int(x) for x in options.mtu.split(",")]
    scenarios = ALL if options.scenario == "all" else options.scenario.split(",")
    for rep in range(options.reps):
        for mtu in mtus:
            # Backwards every other time: no scenario always runs after another, `tcp6` after `tcp` least of all.
            for scenario in scenarios[:: -1 if rep % 2 else 1]:
                if mtu != mtus[0] and scenario not in LARGE_ONLY:
                    continue
                for name in names:
                    adapter = adapters[name]
                    fits = scenario in BY_KIND[adapter["kind"]] and mtu in adapter.get("mtus", [1500])
                    speaks = scenario not in IPV6 or adapter.get("ipv6")
                    if fits and speaks and scenario not in adapter.get("skip", []):
                        yield rep, mtu, scenario, name


def run_one(adapter, mtu, scenario, options):
    lab = Lab(adapter, mtu, scenario in IPV6)
    load = round(os.getloadavg()[0], 2)
    try:
        if scenario != "start":
            lab.up()
        return {"load": load, "figures": BY_KIND[adapter["kind"]][scenario](lab, options.secs)}
    except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired, KeyError) as error:
        told = "%s: %s" % (type(error).__name__, error)
        return {"load": load, "error": told, **({"log": lab.log()} if options.verbose else {})}
    finally:
        lab.down()


def description(options, adapters):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if "model name" in line), "")
    return {
        "when": time.strftime("%Y-%m-%d"),
        "secs": options.secs,
        "reps": options.reps,
        "congestion_control": CONGESTION_CONTROL,
        "cores": os.cpu_count(),
        "cpu": model,
        "kernel": os.uname().release,
        "versions": versions(adapters),
        "runs": [],
    }


def headline(document):
    machine = "%(when)s, %(cores)d x %(cpu)s, Linux %(kernel)s; median of %(reps)d x %(secs)d s" % document
    return "\n".join([machine] + ["%s: %s" % pair for pair in document["versions"].items()])


def versions(adapters):
    told = {}
    for name, adapter in adapters.items():
        if "version" not in adapter:
            continue
        words = expand(adapter["version"], {"here": HERE, "vmlan": Lab(adapter).variables["vmlan"]})
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired) as error:
            told[name] = str(error)
            continue
        named = re.compile(r"\d\.\d|version")
        lines = [x for x in done.stdout.splitlines() if named.search(x) and not re.search("syslog|License|gnu.org", x)]
        told[name] = lines[0] if lines else ""
    return told


def brief(entry):
    """The first telling number of each figure."""
    if "error" in entry:
        return "ERROR " + entry["error"].replace("\n", " | ")[:300]
    keys = ["gbit", "recv_pps", "per_s", "p50_us", "established", "rss_mb", "offer_ms", "received_of_100", "error"]
    words = []
    for figure, results in entry["figures"].items():
        key = next((k for k in keys if results.get(k) is not None), None)
        if key:
            words.append("%s.%s=%s" % (figure, key, results[key]))
    return " ".join(words)


def show_adapters():
    for name, adapter in load_adapters().items():
        state = "ok" if available(adapter) else "missing"
        mtus = ",".join(map(str, adapter.get("mtus", [1500])))
        print("%-24s %-7s %-8s %-8s mtu %s" % (name, adapter["kind"], adapter["wire"], state, mtus))


def show_table(options):
    kinds = {name: adapter["kind"] for name, adapter in load_adapters().items()}
    documents = []
    for path in options.files:
        with open(path) as f:
            documents.append(json.load(f))
    print(table(documents, kinds, options.best))


def shell(options):
    lab = Lab(load_adapters()[options.backend], options.mtu)
    try:
        lab.up()
        print("host namespace %s, guest namespaces %s" % (lab.host, lab.guests))
        print("servers at %s: 7001 echo, 7002 CRR, 7004 UDP echo; Enter ends" % lab.destination)
        sys.stdin.readline()
    finally:
        lab.down()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list")
    verb = verbs.add_parser("run")
    verb.add_argument("-b", "--backend")
    verb.add_argument("-s", "--scenario", default=DEFAULT_SCENARIOS)
    verb.add_argument("-m", "--mtu", default="1500")
    verb.add_argument("-r", "--reps", type=int, default=3)
    verb.add_argument("-t", "--secs", type=int, default=2)
    verb.add_argument("-o", "--out")
    verb.add_argument("-v", "--verbose", action="store_true")
    verb = verbs.add_parser("table")
    verb.add_argument("files", nargs="+")
    verb.add_argument("--best", action="store_true", help="the best repetition, for a machine with neighbours")
    verb = verbs.add_parser("shell")
    verb.add_argument("-b", "--backend", required=True)
    verb.add_argument("-m", "--mtu", type=int, default=1500)
    options = parser.parse_args()
    if os.environ.get("BENCH_NICE"):
        os.nice(int(os.environ["BENCH_NICE"]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.verb == "list":
        show_adapters()
    elif options.verb == "table":
        show_table(options)
    elif options.verb == "shell":
        shell(options)
    else:
        start_spinners()
        try:
            run(options)
        finally:
            stop_spinners()


if __name__ == "__main__":
    main()
