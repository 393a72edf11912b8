/**
 * The way out for packets of others: what a router forwards leaves here with one hop less to live (RFC 1812, 5.3.1; RFC 8200, 3).
 *
 * Bytes of a batch are on loan, so a run of frames is copied once, whole, and headers are rewritten in the copy.
 */
import type { FrameBatch } from '../link/frame-batch.ts';
import { sliceOf } from '../link/frame-batch.ts';
import { ETHERNET_DESTINATION, ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE } from '../wire/ethernet.ts';
import type { Mac } from '../wire/mac.ts';
import { writeMac } from '../wire/mac.ts';
import type { Neighbours } from './neighbours.ts';
import type { Transmitter } from './transmitter.ts';

/** `Hop` is what the neighbour table of the family has as keys. */
export class TransitOutput<Hop> {
  /** Octets of a packet that the link takes. */
  readonly mtu: number;
  readonly #transmitter: Transmitter;
  readonly #neighbours: Neighbours<Hop>;
  readonly #takeHop: (bytes: Uint8Array, at: number) => void;

  /** `takeHop` takes one from the hops that the packet at an offset has left. */
  constructor(
    mtu: number,
    transmitter: Transmitter,
    neighbours: Neighbours<Hop>,
    takeHop: (bytes: Uint8Array, at: number) => void,
  ) {
    this.#takeHop = takeHop;
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

  /** Copies of frames [first, end) leave towards the neighbour `hop`. Only between `begin` and `end`. */
  run(batch: FrameBatch, first: number, end: number, hop: Hop): void {
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

  /** A frame of the caller's, which gives it away, leaves towards the neighbour `hop`. */
  send(frame: Uint8Array, hop: Hop): void {
    const mac = this.#neighbours.resolve(hop);
    if (mac === undefined) {
      this.#wait(frame, hop);
      return;
    }
    this.#readdress(frame, 0, mac);
    this.#transmitter.during(() => this.#transmitter.send(frame));
  }

  #wait(frame: Uint8Array, hop: Hop): void {
    this.#readdress(frame, 0, 0);
    this.#transmitter.during(() => this.#neighbours.wait(hop, frame));
  }

  #readdress(bytes: Uint8Array, at: number, mac: Mac): void {
    writeMac(bytes, at + ETHERNET_DESTINATION, mac);
    writeMac(bytes, at + ETHERNET_SOURCE, this.#transmitter.mac);
    this.#takeHop(bytes, at + ETHERNET_HEADER_LENGTH);
  }
}
