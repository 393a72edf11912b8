/** Who asked, and how it is answered. */
export interface DnsClient {
  /** Octets of an answer that can be sent, where the client speaks EDNS. */
  readonly limit: number;
  /** A stream has no datagrams to be too long for. */
  readonly isStream: boolean;
  /** Sends a message; its octets [2, end) are on loan, and the two before hold its length, as TCP wants it. */
  answer(framed: Uint8Array): void;
}
