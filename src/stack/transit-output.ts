/**
 * The way out for packets of others: what a router forwards leaves here with one hop less to live (RFC 1812, 5.3.1).
 *
 * Bytes of a batch are on loan, so a run of frames is copied once, whole, and headers are rewritten in the copy.
 */
import type { FrameBatch } from '../link/frame-batch.ts';
import { sliceOf } from '../link/frame-batch.ts';
import { ETHERNET_DESTINATION, ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE } from '../wire/ethernet.ts';
import { takeHop } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { writeMac } from '../wire/mac.ts';
import type { Neighbours } from './neighbours.ts';
import type { Transmitter } from './transmitter.ts';

export class TransitOutput {
  /** Octets of a packet that the link takes. */
  readonly mtu: number;
  readonly #transmitter: Transmitter;
  readonly #neighbours: Neighbours<Ipv4>;

  constructor(mtu: number, transmitter: Transmitter, neighbours: Neighbours<Ipv4>) {
    this.mtu = mtu;
    this.#transmitter = transmitter;
    this.#neighbours = neighbours;
  }

  /** What is sent until `end` leaves together. */
  begin(): void {
    this.#transmitter.begin();
  }

  end(): void {
    this.#transmitter.end();
  }

  /** Copies of IPv4 frames [first, end) leave towards the neighbour `hop`. Only between `begin` and `end`. */
  run(batch: FrameBatch, first: number, end: number, hop: Ipv4): void {
    const mac = this.#neighbours.resolve(hop);
    if (mac === undefined) {
      for (let i = first; i < end; i++) this.#wait(sliceOf(batch, i), hop);
      return;
    }
    for (let from = first, to = first; from < end; from = to) {
      to = this.#transmitter.reserveRun(batch, from, end);
      const shift = this.#transmitter.commitRun(batch, from, to);
      const { bytes } = this.#transmitter;
      for (let i = from; i < to; i++) this.#readdress(bytes, batch.starts[i]! + shift, mac);
    }
  }

  /** An IPv4 frame of the caller's, which gives it away, leaves towards the neighbour `hop`. */
  send(frame: Uint8Array, hop: Ipv4): void {
    const mac = this.#neighbours.resolve(hop);
    if (mac === undefined) {
      this.#wait(frame, hop);
      return;
    }
    this.#readdress(frame, 0, mac);
    this.#transmitter.during(() => this.#transmitter.send(frame));
  }

  #wait(frame: Uint8Array, hop: Ipv4): void {
    this.#readdress(frame, 0, 0);
    this.#transmitter.during(() => this.#neighbours.wait(hop, frame));
  }

  #readdress(bytes: Uint8Array, at: number, mac: Mac): void {
    writeMac(bytes, at + ETHERNET_DESTINATION, mac);
    writeMac(bytes, at + ETHERNET_SOURCE, this.#transmitter.mac);
    takeHop(bytes, at + ETHERNET_HEADER_LENGTH);
  }
}
