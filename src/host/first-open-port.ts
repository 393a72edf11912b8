import { readFileSync } from 'node:fs';

/** Bit of CAP_NET_BIND_SERVICE, capabilities(7). */
const NET_BIND_SERVICE = 10n;

/** The first port that this process may listen at, ip(7); 0 where the system does not tell beforehand. */
export function firstOpenPort(): number {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (effective !== undefined && (BigInt(`0x${effective}`) >> NET_BIND_SERVICE) & 1n) return 0;
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 0; // not Linux, or no /proc
  }
}
