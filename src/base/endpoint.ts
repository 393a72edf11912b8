/** One end of a conversation: an address of 4 or 16 octets and a port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && isSameAddress(a.address, b.address);
}

/** Of either family. */
export function isSameAddress(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
