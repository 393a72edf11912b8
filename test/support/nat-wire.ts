import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { EchoNat } from '../../src/nat/echo-nat.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { UdpNat } from '../../src/nat/udp-nat.ts';
import type { EgressConfig } from '../../src/policy/egress.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { B } from './frames.ts';
import { MemoryHostNet } from './memory-host-net.ts';
import { arpFrame, ip, ipv4Frame, OURS, octets, pattern, requestFrom, udpPayload, Wire } from './stack-peer.ts';

export interface Sending {
  readonly from?: string;
  readonly sourcePort?: number;
  readonly payload?: Uint8Array;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
}

/** A network 10.0.0.0/24 whose gateway 10.0.0.1 translates what the guest 10.0.0.2 says to a host's network in memory. */
export class NatWire {
  readonly wire: Wire;
  readonly net = new MemoryHostNet();
  readonly flows = new FlowTable();
  readonly counters = new Counters();
  readonly udp: UdpNat;
  readonly echo: EchoNat;

  constructor(policy: Partial<EgressConfig> = {}, { source, mtu = 1500 }: { source?: Uint8Array; mtu?: number } = {}) {
    this.wire = new Wire({ takesTransit: true, mtu });
    this.wire.introducePeer();
    const gateway = { address: OURS, prefixLength: 24 };
    const closed = { isRestricted: false, hostAccess: [], allowsMetadata: false, gateway };
    const options = {
      stack: this.wire.stack,
      net: this.net,
      policy: new EgressPolicy({ ...closed, ...policy }),
      flows: this.flows,
      counters: this.counters,
      scheduler: this.wire.scheduler,
      sources: source && [source],
    };
    this.udp = new UdpNat(options);
    this.echo = new EchoNat(options);
    this.udp.start();
    this.echo.start();
  }

  /** A guest with this address is there too. */
  introduce(address: string): void {
    this.wire.deliver(arpFrame(requestFrom(B, ip(address), OURS)));
    this.wire.take();
  }

  /** A guest's datagram: from 10.0.0.2, port 1000, three octets, unless it says otherwise. */
  send(to: string, port: number, sending: Sending = {}): void {
    this.wire.deliver(datagramFrame(to, port, sending));
  }

  /** Lets pass this time; what waited for the host's network happens first. */
  advance(by: number): void {
    this.net.turn();
    this.wire.scheduler.advance(by);
  }
}

export function datagramFrame(to: string, port: number, sending: Sending = {}): Uint8Array {
  const { from = '10.0.0.2', sourcePort = 1000, payload = pattern(3), ttl = 64, dontFragment = false } = sending;
  const addresses = { source: ip(from), destination: ip(to) };
  return ipv4Frame(udpPayload(sourcePort, port, payload, addresses), { ...addresses, ttl, dontFragment });
}

export function endpoint(address: string, port: number): Endpoint {
  return { address: octets(address), port };
}

/** An error that the host hears about three octets that went to 192.0.2.7, port 53. */
export function hostError(fields: Partial<HostIcmpError>): HostIcmpError {
  const to = endpoint('192.0.2.7', 53);
  return { type: 3, code: 1, mtu: 0, reporter: undefined, to, quote: pattern(3), ...fields };
}
