"""Results as markdown: vmlan's ratio to each peer first, then every figure."""

import statistics

# Each row: scenario, figure, key, label, digits (-3: shown in thousands), and what is better: more, less or neither.
ROWS = [
    *(
        row
        for scenario, family in (("tcp", ""), ("tcp6", " IPv6"))
        for direction, words in (("g2h", "guest>host" + family), ("h2g", "host>guest" + family))
        for row in (
            (scenario, direction + "_1", "both_s_per_gb", "back-end + pump CPU s/GB " + words, 2, "less"),
            (scenario, direction + "_1", "gbit", "TCP %s 1 stream, Gbit/s" % words, 2, "more"),
            (scenario, direction + "_8", "gbit", "TCP %s 8 streams, Gbit/s" % words, 2, "more"),
            (scenario, direction + "_8", "both_s_per_gb", "back-end + pump CPU s/GB %s, 8 streams" % words, 2, "less"),
            (scenario, direction + "_1", "back_s_per_gb", "back-end CPU s/GB " + words, 2, "less"),
            (scenario, direction + "_8", "back_s_per_gb", "back-end CPU s/GB %s, 8 streams" % words, 2, "less"),
            (scenario, direction + "_1", "pump_s_per_gb", "pump CPU s/GB " + words, 2, ""),
            (scenario, direction + "_1", "machine_s_per_gb", "whole-machine CPU s/GB " + words, 2, "less"),
        )
    ),
    ("swtcp", "tcp_1", "both_s_per_gb", "switch + pumps CPU s/GB", 2, "less"),
    ("swtcp", "tcp_1", "back_s_per_gb", "switch CPU s/GB", 2, "less"),
    ("swtcp", "tcp_1", "pump_s_per_gb", "pumps CPU s/GB", 2, ""),
    ("swtcp", "tcp_1", "machine_s_per_gb", "whole-machine CPU s/GB", 2, "less"),
    ("swtcp", "tcp_1", "gbit", "TCP VM>VM 1 stream, Gbit/s", 2, "more"),
    ("swtcp", "tcp_8", "gbit", "TCP VM>VM 8 streams, Gbit/s", 2, "more"),
    ("fwd", "tcp_in_1", "gbit", "port forward, TCP into guest, Gbit/s", 2, "more"),
    ("fwd", "tcp_out_1", "gbit", "port forward, TCP out of guest, Gbit/s", 2, "more"),
    ("fwd", "rr", "p50_us", "port forward, ping-pong p50, us", 0, "less"),
    ("fwd", "crr", "per_s", "port forward, CRR/s", 0, "more"),
    *(
        row
        for direction, words in (("g2h", "up"), ("h2g", "down"))
        for row in (
            ("udp", direction + "_64_max", "recv_pps", "UDP 64 B flood %s, received kpps" % words, -3, "more"),
            ("udp", direction + "_64_max", "loss_pct", "  loss %s, %%" % words, 0, ""),
            ("udp", direction + "_1400_max", "recv_pps", "UDP 1400 B flood %s, received kpps" % words, -3, "more"),
            ("udp", direction + "_64_20k", "loss_pct", "UDP 64 B at 20 kpps %s, loss %%" % words, 2, ""),
            ("udp", direction + "_64_20k", "back_us_per_pkt", "  back-end CPU us/packet " + words, 1, "less"),
        )
    ),
    ("rr", "tcp", "p50_us", "TCP ping-pong p50, us", 0, "less"),
    ("rr", "tcp", "p99_us", "TCP ping-pong p99, us", 0, "less"),
    ("rr", "tcp", "back_us_per_op", "  back-end CPU us/round trip", 1, "less"),
    ("rr", "udp", "p50_us", "UDP ping-pong p50, us", 0, "less"),
    ("rr", "udp", "p99_us", "UDP ping-pong p99, us", 0, "less"),
    ("icmp", "icmp", "received_of_100", "ICMP echo answered of 100", 0, ""),
    ("icmp", "icmp", "avg_us", "ICMP echo mean, us", 0, "less"),
    ("crr", "crr", "per_s", "CRR/s (one at a time)", 0, "more"),
    ("crr", "crr", "p99_us", "CRR p99, us", 0, "less"),
    ("crr", "crr", "errors", "CRR errors", 0, ""),
    ("crr", "crr", "back_us_per_op", "  back-end CPU us/connection", 0, "less"),
    ("dns", "one", "per_s", "DNS queries/s, one socket, 32 in flight", 0, "more"),
    ("dns", "one", "lost", "  lost", 0, ""),
    ("dns", "new", "per_s", "DNS queries/s, new port each, 16 in flight", 0, "more"),
    ("dns", "new", "lost", "  lost", 0, ""),
    ("dns", "fresh", "per_s", "DNS queries/s, one socket, no name twice", 0, "more"),
    ("dns", "fresh", "lost", "  lost", 0, ""),
    ("dns", "rss_mb_after", "v", "  RSS after the DNS runs, MB", 0, "less"),
    *(
        row
        for scenario, count in (("conns", 2000), ("conns9k", 9000))
        for row in (
            (scenario, "conns_%d" % count, key, "%d connections: %s" % (count, label), digits, better)
            for key, label, digits, better in (
                ("established", "established", 0, ""),
                ("alive_after", "still alive after", 0, ""),
                ("per_s", "set up per second", 0, "more"),
                ("rss_mb", "RSS, MB", 0, "less"),
                ("kb_per_conn", "KB per connection", 1, "less"),
                ("idle_cpu_pct", "CPU % while idle", 0, ""),
                ("rr_p50_us", "ping-pong p50 beside them, us", 0, "less"),
                ("rr_p99_us", "ping-pong p99 beside them, us", 0, "less"),
            )
        )
    ),
    ("start", "start", "offer_ms", "start: spawn to DHCP OFFER, ms", 0, "less"),
    ("start", "start", "listen_ms", "start: spawn to socket accepts, ms", 0, "less"),
    ("idle", "idle", "rss_mb", "idle RSS, MB", 0, "less"),
]

FAMILY_ROWS = {(figure, key): label for scenario, figure, key, label, _, better in ROWS if scenario == "tcp" and better}
OURS = {"nat": "vmlan", "switch": "vmlan-switch"}
TITLES = {"nat": "NAT: guest <-> host", "switch": "Switching: VM <-> VM"}


def table(documents, kinds, best=False):
    """`kinds` says of each back-end whether it is a nat or a switch; `best`: the best repetition, not the median."""
    values, errors = collect(documents)
    columns = list(dict.fromkeys(column for column, *_ in values))
    lines = []
    for kind, title in TITLES.items():
        for mtu in sorted({mtu for _, mtu in columns}):
            names = [name for name, m in columns if m == mtu and kinds.get(name) == kind]
            names.sort(key=lambda name: name != OURS[kind])
            rows = rows_of(kind, names, mtu, values, best)
            if not rows:
                continue
            if OURS[kind] in names and len(names) > 1:
                lines += ["", "### %s, MTU %d: %s's ratio to each peer" % (title, mtu, OURS[kind]), ""]
                lines += ratios(names, rows)
            lines += ["", "### %s, MTU %d" % (title, mtu), ""]
            lines += markdown(names, [(label, [shown(x, digits) for x in cells]) for label, digits, _, cells in rows])
    pairs = family_pairs(documents)
    if pairs:
        lines += ["", "### IPv6 to IPv4: median of the pairs (each pair)", ""]
        lines += markdown(["IPv6 / IPv4"], pairs)
    if errors:
        lines += ["", "Errors:", ""] + ["- " + x for x in errors]
    return "\n".join(lines)


def collect(documents):
    """{(column, scenario, figure, key): [a value for each repetition]}, and what went wrong."""
    values, errors = {}, []
    for run in (run for document in documents for run in document["runs"]):
        column = (run["backend"], run["mtu"])
        if "error" in run:
            reason = run["error"].replace("\n", " | ")[:300]
            errors.append("%s mtu %d %s rep %d: %s" % (*column, run["scenario"], run["rep"], reason))
            continue
        for figure, results in run["figures"].items():
            if "error" in results:
                errors.append("%s mtu %d %s: %s" % (*column, figure, results["error"].replace("\n", " | ")[:300]))
            for key, value in results.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    values.setdefault((column, run["scenario"], figure, key), []).append(value)
    return values, errors


def family_pairs(documents):
    """Rows of what `tcp6` is to the `tcp` of the same repetition; a repetition that lacks one of them is left out."""
    ratios_of = {}
    for document in documents:
        figures = {
            (run["backend"], run["mtu"], run["rep"], run["scenario"]): run["figures"]
            for run in document["runs"]
            if "figures" in run
        }
        for (backend, mtu, rep, scenario), four in figures.items():
            six = figures.get((backend, mtu, rep, "tcp6")) if scenario == "tcp" else None
            for figure, key in six and FAMILY_ROWS or {}:
                values = six.get(figure, {}).get(key), four.get(figure, {}).get(key)
                if all(values):
                    ratios_of.setdefault((backend, mtu, figure, key), []).append(values[0] / values[1])
    return [
        (
            "%s, MTU %d: %s" % (backend, mtu, FAMILY_ROWS[figure, key]),
            ["%.2f (%s)" % (statistics.median(each), ", ".join("%.2f" % x for x in each))],
        )
        for (backend, mtu, figure, key), each in ratios_of.items()
    ]


def rows_of(kind, names, mtu, values, best):
    rows = []
    for scenario, figure, key, label, digits, better in ROWS:
        pick = {"more": max, "less": min}.get(better if best else "", statistics.median)
        taken = [values.get(((name, mtu), scenario, figure, key)) for name in names]
        if any(taken):
            if kind == "switch":
                label = label.replace(" up", " A>B").replace(" down", " B>A")
            rows.append((label, digits, better, [x and pick(x) for x in taken]))
    return rows


def ratios(names, rows):
    shown_rows = [
        (
            "%s (%s is better)" % (label.strip(), better),
            ["%.2f" % (ours / peer) if ours is not None and peer else "" for peer in peers],
        )
        for label, _, better, (ours, *peers) in rows
        if better
    ]
    return markdown(names[1:], [row for row in shown_rows if any(row[1])])


def markdown(names, rows):
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    return lines + ["| %s | %s |" % (label, " | ".join(cells)) for label, cells in rows]


def shown(value, digits):
    if value is None:
        return ""
    return "%.1f" % (value / 1e3) if digits == -3 else "%.*f" % (digits, value)
