/** One end of a conversation: an address of 4 or 16 octets and a port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: number;
}
