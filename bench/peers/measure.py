"""What one measurement in a lab is: a probe or iperf3, and what back-end, pumps and machine used meanwhile."""

import json
import subprocess
import time

from processes import PROBES, PYTHON, cpu, machine_busy, own_cpu, quiet, raise_descriptor_limit

IPERF_PORT = 5201


def probe(lab, namespace, *words, timeout=60):
    """Runs probes.py in the namespace; returns the object that it prints last."""
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, PYTHON, PROBES, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=raise_descriptor_limit,
    )
    if done.returncode:
        raise RuntimeError("probe %s: %s" % (words[0], done.stderr.strip().splitlines()[-1:]))
    return json.loads(done.stdout.strip().splitlines()[-1])


def metered(lab, measure):
    """What `measure` returns, with CPU seconds of everybody."""
    quiet()
    back, pumps, machine, own, began = cpu(lab.back_ends), cpu(lab.pumps), machine_busy(), own_cpu(), time.time()
    result = measure()
    result["wall_s"] = round(time.time() - began, 2)
    result["cpu_back_s"] = round(cpu(lab.back_ends) - back, 3)
    result["cpu_pump_s"] = round(cpu(lab.pumps) - pumps, 3)
    result["cpu_both_s"] = round(result["cpu_back_s"] + result["cpu_pump_s"], 3)
    result["cpu_machine_s"] = round(machine_busy() - machine, 2)
    # CPUs used by processes that are not ours; interrupt and softirq time lands here as well.
    foreign = result["cpu_machine_s"] - (own_cpu() - own)
    result["foreign_cpu"] = round(foreign / max(result["wall_s"], 0.01), 2)
    return result


def metered_probe(lab, namespace, *words):
    """A probe that counts operations, with the back-end's CPU time for each."""
    result = metered(lab, lambda: probe(lab, namespace, *words))
    if result.get("n"):
        result["back_us_per_op"] = round(result["cpu_back_s"] / result["n"] * 1e6, 1)
    return result


def iperf(lab, server, client, destination, seconds, streams, reverse=False, port=IPERF_PORT):
    """iperf3 between two namespaces: `client` sends unless `reverse`; CPU seconds per GB that arrived."""
    words = ["iperf3", "-s", "-1", "-p", str(IPERF_PORT)]
    process = lab.spawn(server, words, lab.others, stdout=subprocess.DEVNULL)
    lab.wait(lambda: is_listening(process.pid), "iperf3 -s")
    words = ["ip", "netns", "exec", client, "iperf3", "-J", "-c", destination, "-p", str(port)]
    words += ["-t", str(seconds), "-P", str(streams)] + (["-R"] if reverse else [])

    def run():
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 12)
        report = json.loads(done.stdout)
        if "error" in report or not report.get("end"):
            raise RuntimeError("iperf3: " + report.get("error", "no result"))
        received, sent = report["end"]["sum_received"], report["end"]["sum_sent"]
        return {
            "gbit": round(received["bits_per_second"] / 1e9, 3),
            "gb": received["bytes"] / 1e9,
            "retr": sent.get("retransmits"),
        }

    try:
        result = metered(lab, run)
    except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        lab.others.remove(process)
    for who in ("back", "pump", "both", "machine"):
        cost = result["cpu_%s_s" % who]
        result["%s_s_per_gb" % who] = round(cost / result["gb"], 3) if result["gb"] else None
    return result


def is_listening(pid):
    for family in ("tcp", "tcp6"):
        try:
            with open("/proc/%d/net/%s" % (pid, family)) as f:
                if any(":%04X" % IPERF_PORT in line and " 0A " in line for line in f):
                    return True
        except OSError:
            pass
    return False
