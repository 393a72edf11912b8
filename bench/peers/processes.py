"""What processes cost, from /proc: CPU seconds, resident memory, and how busy the machine is beside them."""

import os
import re
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROBES = os.path.join(HERE, "probes.py")
PYTHON = os.path.realpath(sys.executable)
TICKS = os.sysconf("SC_CLK_TCK")

# Before each figure: wait until others use less than so many CPUs, but no longer than so many seconds.
QUIET = float(os.environ.get("BENCH_QUIET", "0.2"))
QUIET_MAX = float(os.environ.get("BENCH_QUIET_MAX", "10"))

spinners = []


def sh(*words, ok=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    if ok and done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(words), done.stdout.strip()))
    return done.stdout


def stat(pid):
    """The fields of /proc/PID/stat behind the command's name, or None where the process is gone."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def tree(pid):
    """The process and its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        fields = stat(entry) if entry.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu(processes):
    """User and system seconds of the processes and their descendants."""
    ticks = 0
    for process in processes:
        for pid in tree(process.pid):
            fields = stat(pid)
            ticks += int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / TICKS


def rss(processes):
    """Resident MB of the processes and their descendants."""
    kilobytes = 0
    for process in processes:
        for pid in tree(process.pid):
            try:
                with open("/proc/%d/status" % pid) as f:
                    resident = re.search(r"VmRSS:\s+(\d+)", f.read())
            except OSError:
                continue
            kilobytes += int(resident.group(1)) if resident else 0
    return round(kilobytes / 1024, 1)


def machine_busy():
    """CPU seconds of the whole machine, less idle, iowait and nice (our spinners)."""
    with open("/proc/stat") as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[1] - ticks[3] - ticks[4]) / TICKS


def own_cpu():
    """User and system seconds of this process, its living descendants and its reaped children."""
    seconds = sum(os.times()[:4])
    others = {os.getpid(), *(p.pid for p in spinners)}
    for pid in tree(os.getpid()):
        fields = stat(pid) if pid not in others else None
        seconds += sum(int(x) for x in fields[11:15]) / TICKS if fields else 0
    return seconds


def start_spinners():
    """One SCHED_IDLE loop per CPU: a halted virtual CPU takes 30-60 us to wake, more than what is measured."""
    if os.environ.get("BENCH_SPIN", "1") != "0":
        spinners.extend(subprocess.Popen([PYTHON, PROBES, "spin", str(i)]) for i in range(os.cpu_count()))


def stop_spinners():
    for process in spinners:
        process.kill()
        process.wait()


def quiet():
    end = time.time() + QUIET_MAX
    while time.time() < end:
        busy, began = machine_busy(), time.time()
        time.sleep(0.25)
        if (machine_busy() - busy) / (time.time() - began) < QUIET:
            return


def raise_descriptor_limit():
    """For every process of a lab: 10 000 connections want as many descriptors."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = int(os.environ.get("BENCH_NOFILE", "65536"))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
