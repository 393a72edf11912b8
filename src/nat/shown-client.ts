import type { Endpoint } from '../base/endpoint.ts';
import type { ShowingGateway } from './shown-address.ts';
import { isLoopback } from './shown-address.ts';

/** What decides whether the answers to a client come to the gateway. */
export interface ShowingStack extends ShowingGateway {
  readonly takesTransit: boolean;
}

/**
 * Whether a client of the host can have its own address to a guest. It cannot where the answers would not come back: its address is
 * the loopback's, or means somebody else in the lab, or the gateway is not the way to others; nor where it is of the other family.
 */
export function canBeShown({ address, port }: Endpoint, guest: Endpoint, stack: ShowingStack): boolean {
  if (!stack.takesTransit || address.length !== guest.address.length || port === 0) return false;
  return !isLoopback(address) && !stack.isInside(address);
}
