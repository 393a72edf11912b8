import type { SystemCalls } from '../system-calls.ts';
import type { Card, CardSettings } from './card.ts';
import { openTap } from './tap-card.ts';
import { openVeth } from './veth-card.ts';

/**
 * Makes `eth0`, which is up then, in the network namespace of this process (for a veth in a new one, which the calling thread enters).
 * Throws a `StartError`. A TAP is for those to whom `/dev/net/tun` is open.
 */
export function openCard(system: SystemCalls, settings: CardSettings): Card {
  return openTap(system, settings) ?? openVeth(system, settings);
}
