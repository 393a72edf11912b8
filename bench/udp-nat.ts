/**
 * What the gateway's own part of UDP costs: microseconds per datagram between a batch of frames and a host socket that does nothing.
 *
 *     npx tsx bench/udp-nat.ts
 */
import { SeededRandom } from '../src/base/chance.ts';
import { Counters } from '../src/base/counters.ts';
import type { HostDatagramEvents, HostNet } from '../src/base/host-net.ts';
import type { FrameBatch } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { FlowTable } from '../src/nat/flow.ts';
import { UdpNat } from '../src/nat/udp-nat.ts';
import { EgressPolicy } from '../src/policy/egress.ts';
import { Stack } from '../src/stack/stack.ts';
import { A, B } from '../test/support/frames.ts';
import { datagramFrame, endpoint } from '../test/support/nat-wire.ts';
import { arpFrame, OURS, PEER, pattern, requestFrom } from '../test/support/stack-peer.ts';

const ROUNDS = 5;
const DATAGRAMS = 640_000;
const BATCH = 64;
const PEERS = ['192.0.2.7', '192.0.2.8'];

const scheduler = { now: () => performance.now(), timer: () => ({ arm: () => undefined, cancel: () => undefined }) };

class Gateway {
  readonly stack = new Stack({ mac: A, mtu: 1500, scheduler, random: new SeededRandom(1), takesTransit: true });
  readonly sockets: HostDatagramEvents[] = [];
  sent = 0;
  received = 0;

  constructor() {
    const { stack } = this;
    stack.attach({
      push: (_batch, first, end) => {
        this.received += end - first;
      },
    });
    const gateway = { address: OURS, prefixLength: 24 };
    stack.configure({ interface: gateway });
    stack.push(batchOf([arpFrame(requestFrom(B, PEER, OURS))]), 0, 1);
    const policy = new EgressPolicy({ isRestricted: false, hostAccess: [], allowsMetadata: false, gateway });
    const net = { socket: (_family: 4 | 6, events: HostDatagramEvents) => this.#socket(events) } as unknown as HostNet;
    new UdpNat({ stack, net, policy, flows: new FlowTable(), counters: new Counters(), scheduler }).start();
  }

  #socket(events: HostDatagramEvents) {
    this.sockets.push(events);
    const send = (): boolean => {
      this.sent++;
      return true;
    };
    return { local: undefined, send, close: () => undefined };
  }
}

/** The best of some rounds: the others were disturbed. */
function best(work: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return ((performance.now() - start) * 1000) / DATAGRAMS;
  });
  return Math.min(...rounds);
}

function fromGuest(gateway: Gateway, length: number, peers: number): number {
  const payload = pattern(length);
  const frames = Array.from({ length: BATCH }, (_, i) => datagramFrame(PEERS[i % peers]!, 53, { payload }));
  const batch: FrameBatch = batchOf(frames);
  return best(() => {
    for (let i = 0; i < DATAGRAMS / BATCH; i++) gateway.stack.push(batch, 0, BATCH);
  });
}

function toGuest(gateway: Gateway, length: number): number {
  const payload = pattern(length);
  const from = endpoint('192.0.2.7', 53);
  return best(() => {
    for (let i = 0; i < DATAGRAMS; i++) gateway.sockets[0]!.received(payload, from);
  });
}

const gateway = new Gateway();
for (const length of [40, 1400]) {
  console.log(`from a guest, ${length} octets, one peer:    ${fromGuest(gateway, length, 1).toFixed(2)} us`);
  console.log(`from a guest, ${length} octets, two peers:   ${fromGuest(gateway, length, 2).toFixed(2)} us`);
  console.log(`to a guest, ${length} octets:                ${toGuest(gateway, length).toFixed(2)} us`);
}
if (gateway.sent === 0 || gateway.received === 0) throw new Error('nothing went through');
