import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { EchoNat } from '../../src/nat/echo-nat.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { UdpNat } from '../../src/nat/udp-nat.ts';
import type { EgressConfig } from '../../src/policy/egress.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { parseAddress } from '../../src/wire/endpoint-text.ts';
import { ipv4Of } from '../../src/wire/ipv4-address.ts';
import type { Ipv6Prefix } from '../../src/wire/ipv6-address.ts';
import type { Family } from './families.ts';
import { datagramOver, FAMILIES, IPV4 } from './families.ts';
import { B } from './frames.ts';
import { MemoryHostNet } from './memory-host-net.ts';
import { arpFrame, ip, OURS, pattern, requestFrom, Wire } from './stack-peer.ts';

export interface Sending {
  readonly from?: string;
  readonly sourcePort?: number;
  readonly payload?: Uint8Array;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
}

export interface NatWireOptions {
  readonly family?: Family;
  readonly source?: Uint8Array;
  readonly mtu?: number;
  /** Behind this prefix lies IPv4. */
  readonly nat64?: Ipv6Prefix;
}

/** A network 10.0.0.0/24 or fd00::/64 whose gateway ::1 translates what the guest ::2 says to a host's network in memory. */
export class NatWire {
  readonly wire: Wire;
  readonly net = new MemoryHostNet();
  readonly flows = new FlowTable();
  readonly counters = new Counters();
  readonly udp: UdpNat;
  readonly echo: EchoNat;

  constructor(policy: Partial<EgressConfig> = {}, { family = IPV4, source, mtu = 1500, nat64 }: NatWireOptions = {}) {
    this.wire = new Wire({ family, takesTransit: true, mtu });
    this.wire.introducePeer();
    const gateway =
      family === IPV4
        ? { gateway: { address: ipv4Of(family.ours), prefixLength: 24 } }
        : { ipv6Gateway: { address: family.ours, prefixLength: 64 } };
    const closed = { isRestricted: false, hostAccess: [], allowsMetadata: false, nat64, ...gateway };
    const options = {
      stack: this.wire.stack,
      net: this.net,
      policy: new EgressPolicy({ ...closed, ...policy }),
      flows: this.flows,
      counters: this.counters,
      scheduler: this.wire.scheduler,
      sources: source && [source],
      nat64,
    };
    this.udp = new UdpNat(options);
    this.echo = new EchoNat(options);
    this.udp.start();
    this.echo.start();
  }

  /** A guest with this address of IPv4 is there too. */
  introduce(address: string): void {
    this.wire.deliver(arpFrame(requestFrom(B, ip(address), OURS)));
    this.wire.take();
  }

  /** A guest's datagram: from the peer of the family, port 1000, three octets, unless it says otherwise. */
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
  const { from, payload = pattern(3), ...fields } = sending;
  const destination = parseAddress(to)!;
  const family = FAMILIES.find(({ ours }) => ours.length === destination.length)!;
  const source = from === undefined ? family.peer : parseAddress(from)!;
  return datagramOver(family, port, payload, { ...fields, source, destination });
}

export function endpoint(address: string, port: number): Endpoint {
  return { address: parseAddress(address)!, port };
}

/** An error that the host hears about three octets that went to 192.0.2.7, port 53. */
export function hostError(fields: Partial<HostIcmpError>): HostIcmpError {
  const to = endpoint('192.0.2.7', 53);
  return { type: 3, code: 1, mtu: 0, reporter: undefined, to, quote: pattern(3), ...fields };
}
