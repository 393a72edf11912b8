/** Whether an address or a subnet can be what the lab file says it is. */
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { broadcastOf, formatIpv4, formatIpv4Interface, isOnLink, networkOf } from '../wire/ipv4-address.ts';
import { hostsOf } from './derive.ts';

/** What is wrong, without its place. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Why no station of the subnet can have this address. */
export function hostFault(address: Ipv4, subnet: Ipv4Interface): Fault | undefined {
  const { first, last } = hostsOf(subnet);
  const hint = `take one from ${formatIpv4(first)} to ${formatIpv4(last)}`;
  if (!isOnLink(subnet, address))
    return { code: 'outside-subnet', message: `${formatIpv4(address)} is outside ${subnetText(subnet)}`, hint };
  const special = address === networkOf(subnet) ? 'network' : address === broadcastOf(subnet) ? 'broadcast' : undefined;
  if (special === undefined) return undefined;
  return {
    code: 'not-a-host',
    message: `${formatIpv4(address)} is the ${special} address of ${subnetText(subnet)}`,
    hint,
  };
}

const MIN_PREFIX = 8;
const MAX_PREFIX = 30;

/** Why no gateway and guests can live there. */
export function subnetFault(subnet: Ipv4Interface): Fault | undefined {
  if (subnet.prefixLength > MAX_PREFIX) {
    const message = `${formatIpv4Interface(subnet)} has no room for a gateway and a guest`;
    return { code: 'subnet-size', message, hint: `take a prefix of at most ${MAX_PREFIX}` };
  }
  if (subnet.prefixLength < MIN_PREFIX) {
    const message = `${formatIpv4Interface(subnet)} is larger than any network`;
    return { code: 'subnet-size', message, hint: `take a prefix of at least ${MIN_PREFIX}` };
  }
  // RFC 6890: this network, loopback, multicast and what is reserved
  const top = subnet.address >>> 24;
  if (top === 0 || top === 127 || top >= 224) {
    const message = `${formatIpv4Interface(subnet)} is not for stations`;
    return { code: 'subnet-reserved', message, hint: 'take one of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16' };
  }
  return hostBitsFault(subnet);
}

/** Why the text names an address in a subnet and not the subnet. */
export function hostBitsFault(subnet: Ipv4Interface): Fault | undefined {
  if (subnet.address === networkOf(subnet)) return undefined;
  return {
    code: 'host-bits',
    message: `${formatIpv4Interface(subnet)} is an address in a subnet`,
    hint: `write ${subnetText(subnet)}`,
  };
}

export function subnetText(subnet: Ipv4Interface): string {
  return formatIpv4Interface({ address: networkOf(subnet), prefixLength: subnet.prefixLength });
}
