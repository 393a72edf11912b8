import { parseAddress } from '../wire/endpoint-text.ts';

/** The octets of an address as the system writes it; undefined where the text is none. A scope (`%eth0`) is ignored. */
export function addressOctets(text: string): Uint8Array | undefined {
  return parseAddress(text.split('%')[0]!);
}
