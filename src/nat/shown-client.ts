import type { Endpoint } from '../base/endpoint.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { isOnLink } from '../wire/ipv4-address.ts';
import { readUint32 } from '../wire/octets.ts';
import { isLoopback } from './guest-error.ts';

/** What decides whether the answers to a client come to the gateway. */
export interface ShowingStack {
  readonly interface: Ipv4Interface | undefined;
  readonly takesTransit: boolean;
}

/**
 * Whether a client of the host can have its own address to guests. It cannot where the answers would not come back: its address is
 * the loopback's, or means somebody else on the guest's network, or the gateway is not the way to others.
 */
export function canBeShown({ address, port }: Endpoint, stack: ShowingStack): boolean {
  const { interface: own, takesTransit } = stack;
  if (own === undefined || !takesTransit || address.length !== 4 || port === 0 || isLoopback(address)) return false;
  return !isOnLink(own, readUint32(address, 0));
}
