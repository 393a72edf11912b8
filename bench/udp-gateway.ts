import { SeededRandom } from '../src/base/chance.ts';
import { Counters } from '../src/base/counters.ts';
import type { HostDatagramEvents, HostNet } from '../src/base/host-net.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { FlowTable } from '../src/nat/flow.ts';
import { UdpNat } from '../src/nat/udp-nat.ts';
import { EgressPolicy } from '../src/policy/egress.ts';
import { Stack } from '../src/stack/stack.ts';
import { A, B } from '../test/support/frames.ts';
import { arpFrame, OURS, PEER, requestFrom } from '../test/support/stack-peer.ts';

const scheduler = { now: () => performance.now(), timer: () => ({ arm: () => undefined, cancel: () => undefined }) };

/** UDP NAT between a stack and host sockets that do nothing. */
export class UdpGateway {
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
