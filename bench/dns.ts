/**
 * The name server in memory: a machine's stack, the gateway's, and an upstream that answers at once; no sockets. CPU time of the
 * process per query, both stacks included.
 *
 *     npx tsx bench/dns.ts [ROUNDS]
 */
import { SeededRandom } from '../src/base/chance.ts';
import { Counters } from '../src/base/counters.ts';
import type { Endpoint } from '../src/base/endpoint.ts';
import type { HostDatagramEvents, HostNet } from '../src/base/host-net.ts';
import { nodeScheduler } from '../src/host/clock.ts';
import { DnsServer } from '../src/service/dns/server.ts';
import { Stack } from '../src/stack/stack.ts';
import { DNS_PORT } from '../src/wire/dns-message.ts';
import { machine, median, row } from './measure.ts';

const ADDRESS = 0x0a000203;
const UPSTREAM: Endpoint = { address: Uint8Array.of(192, 0, 2, 53), port: DNS_PORT };
const MEASURE_MILLIS = 500;

/** Each question is `next`'s; from a port of the guest's that was not used for the 16 000 before. */
const SCENARIOS: readonly { name: string; next: (query: number) => string }[] = [
  { name: 'cached, one name', next: () => 'www.example.com' },
  { name: 'cached, 1000 names', next: (query) => `n${query % 1000}.example.com` },
  { name: 'a machine of the lab', next: () => 'web.lab.internal' },
  { name: 'forwarded, each its own name', next: (query) => `q${query}.example.com` },
];

function measureAll(rounds: number): void {
  console.log(machine());
  console.log(`${rounds} rounds of ${MEASURE_MILLIS} ms\n`);
  const widths = [30, 16, 14];
  console.log(row(['', 'ns, median (min)', 'queries/s'], widths));
  const cells = SCENARIOS.map(({ name, next }) => ({ name, path: new Path(next), taken: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { path, taken } of cells) {
      const nanos = path.measure();
      if (round > 0) taken.push(nanos); // the first round warms up
    }
  }
  for (const { name, path, taken } of cells) {
    const middle = median(taken);
    console.log(
      row([name, `${middle.toFixed(0)} (${Math.min(...taken).toFixed(0)})`, Math.round(1e9 / middle)], widths),
    );
    path.stop();
  }
}

/** A machine that asks, the server, and the world. */
class Path {
  readonly #next: (query: number) => string;
  readonly #far: Stack;
  readonly #server: DnsServer;
  readonly #world: (() => void)[] = [];
  readonly #queries = new Map<string, Uint8Array>();
  #sent = 0;
  #answered = 0;

  constructor(next: (query: number) => string) {
    this.#next = next;
    const stack = (mac: number) =>
      new Stack({ mac, mtu: 1500, scheduler: nodeScheduler, random: new SeededRandom(mac), takesTransit: true });
    const near = stack(0x525400000001);
    this.#far = stack(0x525400000002);
    const at = { address: 0x0a000202, prefixLength: 24 };
    near.configure({ interface: at, extra: [ADDRESS] });
    this.#far.configure({ interface: { address: 0x0a00020f, prefixLength: 24 } });
    near.attach(this.#far);
    this.#far.attach(near);
    const config = { address: ADDRESS, domain: 'lab.internal', records: [], routes: [], upstream: [UPSTREAM] };
    const names = { addressesOf: (host: string) => (host === 'web' ? [0x0a00020f] : []), nameOf: () => undefined };
    this.#server = new DnsServer(config, at, names, {
      net: { socket: (_family: 4 | 6, events: HostDatagramEvents) => this.#upstream(events) } as unknown as HostNet,
      resolvers: { servers: () => [] },
      scheduler: nodeScheduler,
      random: new SeededRandom(1),
      counters: new Counters(),
      log: () => undefined,
    });
    this.#server.start(near);
  }

  /** Answers each question with one address. */
  #upstream(events: HostDatagramEvents): ReturnType<HostNet['socket']> {
    return {
      local: undefined,
      close: () => undefined,
      send: (bytes) => {
        const answer = new Uint8Array(bytes.length - 11 + RECORD.length);
        answer.set(bytes.subarray(0, bytes.length - 11));
        answer.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
        answer.set(RECORD, bytes.length - 11);
        this.#world.push(() => events.received(answer, UPSTREAM));
        return true;
      },
    };
  }

  measure(): number {
    const before = this.#answered;
    const sentBefore = this.#sent;
    const clock = process.cpuUsage();
    const end = process.hrtime.bigint() + BigInt(MEASURE_MILLIS) * 1_000_000n;
    while (process.hrtime.bigint() < end) for (let i = 0; i < 64; i++) this.#ask();
    const { user, system } = process.cpuUsage(clock);
    const sent = this.#sent - sentBefore;
    if (this.#answered - before !== sent)
      throw new Error(`${sent - this.#answered + before} queries were lost in memory`);
    return ((user + system) * 1000) / sent;
  }

  #ask(): void {
    const port = 49_152 + (this.#sent % 16_000);
    const socket = this.#far.udp.open(port, () => this.#answered++);
    socket.send({ address: SERVER, port: DNS_PORT }, this.#queryFor(this.#next(this.#sent++)));
    for (let event = this.#world.pop(); event !== undefined; event = this.#world.pop()) event();
    socket.close();
  }

  /** Names are few, but for those that are asked once. */
  #queryFor(name: string): Uint8Array {
    const known = this.#queries.get(name);
    if (known !== undefined) return known;
    const query = queryFor(name);
    if (this.#queries.size < 1000) this.#queries.set(name, query);
    return query;
  }

  stop(): void {
    this.#server.stop();
  }
}

const SERVER = Uint8Array.of(10, 0, 2, 3);
const RECORD = Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 198, 51, 100, 1);

function queryFor(name: string): Uint8Array {
  const query = new Uint8Array(name.length + 18);
  query.set([0x12, 0x34, 1, 0, 0, 1]);
  let label = 12;
  for (let i = 0; i < name.length; i++) {
    query[13 + i] = name.charCodeAt(i);
    if (name[i] !== '.') query[label] = query[label]! + 1;
    else label = 13 + i;
    if (label === 13 + i) query[label] = 0;
  }
  query[query.length - 3] = 1;
  query[query.length - 1] = 1;
  return query;
}

measureAll(Number(process.argv[2] ?? 5));
