/** What the ICMP of a stack offers to those who translate conversations with hosts off the link. */

/** An echo request for another host. `payload` is on loan until the handler returns. */
export interface EchoRequest {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Of the packet, as it arrived. */
  readonly ttl: number;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface EchoReply {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Of the packet; the stack's own where undefined. */
  readonly ttl?: number | undefined;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** An error message, type and code being those of the family of the packet that it is about; `mtu` is that of `fragmentation needed` (RFC 1191) or packet too big, otherwise 0. */
export interface IcmpError {
  readonly type: number;
  readonly code: number;
  readonly mtu: number;
}

export type OnTransitEcho = (request: EchoRequest) => 'taken' | 'prohibited';

export interface IcmpLayer {
  /**
   * Takes echo requests for other hosts, of a stack that takes transit; without a handler they are dropped. Where the handler answers
   * `prohibited`, the sender is told so by ICMP.
   */
  onTransitEcho(handler: OnTransitEcho | undefined): void;
  /** Answers in the name of another host. */
  replyEcho(reply: EchoReply): void;
  /** Tells the sender of `packet` (its octets from the IP header on, which are quoted) what became of it; in the name of `reporter`, or of the stack. */
  report(error: IcmpError, packet: Uint8Array, reporter?: Uint8Array): void;
}
