/** What a router's options become when they change, and how they are spread over advertisements. */
import { isSameAddress } from '../base/endpoint.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6Prefix } from '../wire/ipv6-address.ts';
import type { RouterOption } from '../wire/ndp-router-options.ts';
import { routerOptionLength } from '../wire/ndp-router-options.ts';

/** What `before` told and `now` does not, each with lifetime 0. */
export function withdrawn(before: readonly RouterOption[], now: readonly RouterOption[]): readonly RouterOption[] {
  return before.flatMap((option): readonly RouterOption[] => {
    switch (option.kind) {
      case 'dns-servers': {
        const kept = now.flatMap((other) => (other.kind === 'dns-servers' ? other.addresses : []));
        const addresses = option.addresses.filter((address) => !kept.some((other) => isSameAddress(other, address)));
        return addresses.length === 0 ? [] : [{ kind: 'dns-servers', addresses, lifetime: 0 }];
      }
      case 'search-domains': {
        const kept = now.flatMap((other) => (other.kind === 'search-domains' ? other.names : []));
        const names = option.names.filter((name) => !kept.includes(name));
        return names.length === 0 ? [] : [{ kind: 'search-domains', names, lifetime: 0 }];
      }
      default: {
        const isKept = now.some((other) => other.kind === option.kind && isSamePrefix(other.prefix, option.prefix));
        if (isKept) return [];
        if (option.kind === 'prefix') return [{ ...option, validLifetime: 0, preferredLifetime: 0 }];
        return [{ ...option, lifetime: 0 }];
      }
    }
  });
}

function isSamePrefix(a: Ipv6Prefix, b: Ipv6Prefix): boolean {
  return a.prefixLength === b.prefixLength && isSameAddress(a.address, b.address);
}

/** The fixed part of an advertisement, its MAC and MTU. */
const HEADER_LENGTH = 32;
const ROOM = IPV6_MIN_MTU - IPV6_HEADER_LENGTH - HEADER_LENGTH;

/** RFC 4861, 6.2.3: options that do not fit one advertisement go into several; there is one even without options. */
export function inMessages(options: readonly RouterOption[]): readonly (readonly RouterOption[])[] {
  const messages: RouterOption[][] = [[]];
  let room = ROOM;
  for (const option of options.flatMap(inPieces)) {
    const length = routerOptionLength(option);
    if (length > room) {
      messages.push([]);
      room = ROOM;
    }
    messages.at(-1)!.push(option);
    room -= length;
  }
  return messages;
}

/** So many addresses, or names of any length, fit into one advertisement. */
const ADDRESSES = 64;
const NAMES = 4;

/** A list that is too long for one advertisement as several lists. */
function inPieces(option: RouterOption): readonly RouterOption[] {
  if (option.kind === 'dns-servers' && option.addresses.length > ADDRESSES)
    return chunks(option.addresses, ADDRESSES).map((addresses) => ({ ...option, addresses }));
  if (option.kind === 'search-domains' && routerOptionLength(option) > ROOM)
    return chunks(option.names, NAMES).map((names) => ({ ...option, names }));
  return [option];
}

function chunks<T>(list: readonly T[], length: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));
}
