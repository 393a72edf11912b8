/**
 * Has a lease for a machine whose TCP/IP is not ours: it stands between the machine and its LAN, speaks DHCP under the machine's MAC, and
 * says what the machine's address is.
 *
 *     machine ── everything else ──────────── LAN
 *        keeper ── DHCP, and ARP for it ───────┘
 *
 * From the LAN it takes the answers of DHCP servers, which the machine then does not see; answers of ARP are for both. Of what the
 * machine sends nothing is taken.
 */
import type { FrameBatch, FrameSink } from '../link/frame-batch.ts';
import type { PortReceiver } from '../link/port.ts';
import { Stack } from '../stack/stack.ts';
import type { ArpMessage } from '../wire/arp.ts';
import { parseArp } from '../wire/arp.ts';
import type { Defect } from '../wire/defect.ts';
import { DHCP_CLIENT_PORT } from '../wire/dhcp.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_TYPE, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../wire/ethernet.ts';
import { Ipv4View, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { readUint16 } from '../wire/octets.ts';
import type { DhcpClientEvents } from './dhcp-client.ts';
import { DhcpClient } from './dhcp-client.ts';
import type { StationOptions } from './station.ts';

type Whose = 'machine' | 'keeper' | 'both';

export class LeaseKeeper implements PortReceiver {
  readonly #machine: FrameSink;
  readonly #stack: Stack;
  readonly #client: DhcpClient;
  readonly #ip = new Ipv4View();

  /** What comes from the LAN is pushed to the keeper, which sends to `lan` itself. */
  constructor(lan: FrameSink, machine: FrameSink, { name, ...own }: StationOptions, events: DhcpClientEvents) {
    this.#machine = machine;
    this.#stack = new Stack(own);
    this.#stack.attach({ push: (batch, first, end) => lan.push(batch, first, end) });
    this.#client = new DhcpClient(this.#stack, name, own.scheduler, own.random, events);
  }

  start(): void {
    this.#client.start();
  }

  /** Gives the lease back; `onDone` hears when that is said. */
  release(onDone: () => void): void {
    this.#client.release(onDone);
  }

  push(batch: FrameBatch, first: number, end: number): void {
    let runStart = first;
    let run: Whose = 'machine';
    for (let i = first; i < end; i++) {
      const whose = this.#whose(batch, i);
      if (whose === run) continue;
      this.#pass(run, batch, runStart, i);
      runStart = i;
      run = whose;
    }
    this.#pass(run, batch, runStart, end);
  }

  #pass(whose: Whose, batch: FrameBatch, first: number, end: number): void {
    if (first === end) return;
    if (whose !== 'keeper') this.#machine.push(batch, first, end);
    if (whose !== 'machine') this.#stack.push(batch, first, end);
  }

  #whose({ bytes, starts, ends }: FrameBatch, index: number): Whose {
    const start = starts[index]!;
    const end = ends[index]!;
    const payload = start + ETHERNET_HEADER_LENGTH;
    switch (readUint16(bytes, start + ETHERNET_TYPE)) {
      case ETHERTYPE_ARP:
        return isReply(parseArp(bytes, payload, end)) ? 'both' : 'machine';
      case ETHERTYPE_IPV4:
        return this.#isForClient(bytes, payload, end) ? 'keeper' : 'machine';
      default:
        return 'machine';
    }
  }

  /** A datagram to the DHCP client's port, or the first piece of one. */
  #isForClient(bytes: Uint8Array, start: number, end: number): boolean {
    const ip = this.#ip;
    if (ip.bind(bytes, start, end) !== undefined || ip.protocol !== PROTOCOL_UDP || ip.fragmentOffset !== 0)
      return false;
    return ip.payloadEnd - ip.payloadStart >= 4 && readUint16(bytes, ip.payloadStart + 2) === DHCP_CLIENT_PORT;
  }
}

function isReply(message: ArpMessage | Defect): boolean {
  return typeof message === 'object' && message.operation === 'reply';
}
