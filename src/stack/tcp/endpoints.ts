import type { Endpoint } from '../../base/endpoint.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { ipv4Octets } from '../../wire/ipv4-address.ts';

export function endpointOf(address: Ipv4, port: number): Endpoint {
  return { address: ipv4Octets(address), port };
}
