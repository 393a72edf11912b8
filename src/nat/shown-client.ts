import type { Endpoint } from '../base/endpoint.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { isLoopback } from './shown-address.ts';

/** What decides whether the answers to a client come to the gateway. */
export interface ShowingStack {
  readonly interface: Ipv4Interface | undefined;
  readonly takesTransit: boolean;
  isInside(address: Uint8Array): boolean;
}

/**
 * Whether a client of the host can have its own address to guests. It cannot where the answers would not come back: its address is
 * the loopback's, or means somebody else in the lab, or the gateway is not the way to others.
 */
export function canBeShown({ address, port }: Endpoint, stack: ShowingStack): boolean {
  if (stack.interface === undefined || !stack.takesTransit) return false;
  if (address.length !== 4 || port === 0 || isLoopback(address)) return false;
  return !stack.isInside(address);
}
