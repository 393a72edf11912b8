/**
 * A world for a gateway's host, in namespaces of its own: nothing on this machine changes, and no privilege is needed where users may make
 * namespaces. All of it ends with the processes that hold it.
 *
 *     host 10.1.0.1 ── 10.1.0.254 near 10.2.0.1 ── 10.2.0.254 middle 10.3.0.1 ── 10.3.0.7 far
 *
 * Where `addIpv6` is called, it has 2001:db8:1::1 ── 2001:db8:1::fe … 2001:db8:3::7 as well.
 */
import { writeFileSync } from 'node:fs';
import type { Child } from '../../support/child.ts';
import type { Workbench } from '../../support/workbench.ts';

export type Place = 'host' | 'near' | 'middle' | 'far';

export const FAR = '10.3.0.7';
export const FAR6 = '2001:db8:3::7';
/** The host's resolver, on its loopback interface. */
const RESOLVER = '127.0.0.53';

export class World {
  readonly #bench: Workbench;
  readonly #holders: ReadonlyMap<Place, Child>;

  private constructor(bench: Workbench, holders: ReadonlyMap<Place, Child>) {
    this.#bench = bench;
    this.#holders = holders;
  }

  static async start(bench: Workbench): Promise<World> {
    const host = await holder(bench, 'unshare', ['--user', '--map-root-user', '--net', '--mount']);
    const holders = new Map<Place, Child>([['host', host]]);
    for (const place of ['near', 'middle', 'far'] as const) {
      holders.set(place, await holder(bench, 'nsenter', [...into(host), 'unshare', '--net']));
    }
    const world = new World(bench, holders);
    await world.#wire();
    return world;
  }

  /** Starts a program there. */
  start(place: Place, command: string, args: readonly string[]): Child {
    return this.#bench.start('nsenter', [...into(this.#holders.get(place)!), command, ...args]);
  }

  /** Runs a shell command line there, which must succeed. */
  async must(place: Place, line: string): Promise<string> {
    const child = this.start(place, 'sh', ['-ec', line]);
    const { status } = await child.exited;
    if (status !== 0) throw new Error(child.transcript);
    return child.stdout;
  }

  /** A dnsmasq that is the host's only resolver, which knows what `records` say. It serves one TCP client at a time: it cannot fork in these namespaces. */
  async startResolver(records: readonly string[]): Promise<void> {
    const file = this.#bench.path('resolv.conf');
    writeFileSync(file, `nameserver ${RESOLVER}\n`);
    await this.must('host', `mount --bind ${file} /etc/resolv.conf`);
    const dnsmasq = this.start('host', 'dnsmasq', [
      ...['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--local=/#/', '--pid-file='],
      ...[`--listen-address=${RESOLVER}`, '--bind-interfaces', ...records],
    ]);
    await dnsmasq.until('dnsmasq starts', () => (dnsmasq.stderr.includes('started') ? true : undefined));
  }

  /** Gives the places IPv6 addresses and routes beside those of IPv4. */
  async addIpv6(): Promise<void> {
    const add = (address: string, to: Place) => `ip -6 addr add ${address}/64 dev to-${to} nodad`;
    const routes = (...lines: readonly string[]) => lines.map((line) => `ip -6 route add ${line}`).join(' && ');
    const forwards = 'sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0';
    await this.must('host', add('2001:db8:1::1', 'near'));
    await this.must('near', `${forwards} && ${add('2001:db8:1::fe', 'host')} && ${add('2001:db8:2::1', 'middle')}`);
    await this.must('middle', `${forwards} && ${add('2001:db8:2::fe', 'near')} && ${add('2001:db8:3::1', 'far')}`);
    await this.must('far', add(FAR6, 'middle'));
    await this.must('host', routes('default via 2001:db8:1::fe'));
    await this.must('near', routes('2001:db8:3::/64 via 2001:db8:2::fe', 'unreachable 2001:db8:8::/64'));
    await this.must('middle', routes('2001:db8:1::/64 via 2001:db8:2::1'));
    await this.must('far', routes('default via 2001:db8:3::1'));
  }

  async #wire(): Promise<void> {
    for (const place of this.#holders.keys()) await this.must(place, 'sysctl -qw net.ipv4.icmp_ratelimit=0');
    const link = async (a: Place, addressA: string, b: Place, addressB: string) => {
      const pid = this.#holders.get(b)!.pid;
      await this.must(a, `ip link add to-${b} type veth peer name to-${a} netns ${pid}`);
      await this.must(a, `ip addr add ${addressA}/24 dev to-${b} && ip link set to-${b} up && ip link set lo up`);
      await this.must(b, `ip addr add ${addressB}/24 dev to-${a} && ip link set to-${a} up && ip link set lo up`);
    };
    await link('host', '10.1.0.1', 'near', '10.1.0.254');
    await link('near', '10.2.0.1', 'middle', '10.2.0.254');
    await link('middle', '10.3.0.1', 'far', FAR);
    await this.must('host', 'ip route add default via 10.1.0.254 && sysctl -qw net.ipv4.ping_group_range="0 0"');
    await this.must('near', 'ip route add 10.3.0.0/24 via 10.2.0.254 && sysctl -qw net.ipv4.ip_forward=1');
    await this.must('middle', 'ip route add 10.1.0.0/24 via 10.2.0.1 && sysctl -qw net.ipv4.ip_forward=1');
    await this.must('far', 'ip route add default via 10.3.0.1');
  }
}

function into(host: Child): string[] {
  return ['--target', String(host.pid), '--user', '--net', '--mount', '--preserve-credentials'];
}

/** A process in which namespaces live until its standard input ends. */
async function holder(bench: Workbench, command: string, words: readonly string[]): Promise<Child> {
  const child = bench.start(command, [...words, 'sh', '-c', 'echo here; exec cat']);
  await child.until('namespaces are made', () => (child.stdout === 'here\n' ? true : undefined));
  return child;
}
