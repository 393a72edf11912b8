import type { Endpoint } from '../../base/endpoint.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { ipv4Octets } from '../../wire/ipv4-address.ts';
import { readUint32 } from '../../wire/octets.ts';

export function endpointOf(address: Ipv4, port: number): Endpoint {
  return { address: ipv4Octets(address), port };
}

/** Throws where the address is not one of IPv4. */
export function addressOf(octets: Uint8Array): Ipv4 {
  if (octets.length !== 4) throw new RangeError(`an IPv4 address has 4 octets, not ${octets.length}`);
  return readUint32(octets, 0);
}
