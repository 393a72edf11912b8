/** Which IPv6 addresses are the station's own, and which groups it has joined. */
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ALL_NODES, groupMacOf, isSameIpv6, linkLocalOf, solicitedNodeGroup } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';

export class Ipv6Addressing {
  /** The only address so far; it needs no configuration. */
  readonly linkLocal: Ipv6;
  /** RFC 4291, 2.8: every node is in all-nodes and in the solicited-node group of each of its addresses. */
  #groups: readonly { readonly group: Ipv6; readonly mac: Mac }[] = [];

  constructor(mac: Mac) {
    this.linkLocal = linkLocalOf(mac);
    this.join(ALL_NODES);
    this.join(solicitedNodeGroup(this.linkLocal));
  }

  join(group: Ipv6): void {
    this.#groups = [...this.#groups, { group, mac: groupMacOf(group) }];
  }

  leave(group: Ipv6): void {
    this.#groups = this.#groups.filter((joined) => !isSameIpv6(joined.group, group));
  }

  isOwn(address: Ipv6): boolean {
    return isSameIpv6(address, this.linkLocal);
  }

  isJoined(group: Ipv6): boolean {
    return this.#groups.some((joined) => isSameIpv6(joined.group, group));
  }

  /** Whether frames for this MAC are for a group that the station has joined. */
  hears(mac: Mac): boolean {
    return this.#groups.some((joined) => joined.mac === mac);
  }
}
