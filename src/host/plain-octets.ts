/** The same octets without Node's manners: `slice` of a Buffer copies nothing. */
export function plainOctets(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
