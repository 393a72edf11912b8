/**
 * What a DHCPv6 server does about a message, as a function of the leases, the message and the time: RFC 8415, 16 and 18.3.
 * Nothing happens here; `Dhcp6Server` carries the decision out.
 */
import { isSameAddress } from '../../base/endpoint.ts';
import type { Dhcp6Message } from '../../wire/dhcpv6.ts';
import type { Association, Dhcp6Status } from '../../wire/dhcpv6-options.ts';
import {
  associationsOf,
  CLIENT_ID,
  duidOf,
  IA_NA,
  IA_PD,
  optionOf,
  RAPID_COMMIT,
  SERVER_ID,
} from '../../wire/dhcpv6-options.ts';
import type { Ipv6, Ipv6Prefix } from '../../wire/ipv6-address.ts';
import { ipv6Number, ipv6OfNumber, isInIpv6Prefix } from '../../wire/ipv6-address.ts';
import type { Mac } from '../../wire/mac.ts';
import type { LeaseTable } from '../dhcp/leases.ts';

/** Why a message gets no answer; each is a counter's name. */
export type Dhcp6Silence =
  | 'dhcp6-malformed'
  | 'dhcp6-not-a-request'
  | 'dhcp6-other-server'
  | 'dhcp6-unicast'
  | 'dhcp6-nothing-to-confirm';

/** A status code and what it says to people. */
export interface Told {
  readonly status: Dhcp6Status;
  readonly why: string;
}

/** What becomes of an association. */
export interface Verdict {
  readonly association: Association;
  /** The client's address. */
  readonly granted?: Ipv6;
  /** Addresses that it must not use any more. */
  readonly revoked?: readonly Ipv6[];
  readonly told?: Told;
}

/** What an answer changes in the leases. */
export interface Effect {
  readonly verb: 'offer' | 'bind' | 'release' | 'decline';
  readonly address: bigint;
}

export interface Dhcp6Answer {
  readonly type: 'advertise' | 'reply';
  /** The client has the lease that it asked for by one message (RFC 8415, 21.14). */
  readonly isRapid?: boolean;
  readonly verdicts?: readonly Verdict[];
  /** Of the whole message. */
  readonly told?: Told;
  /** Name servers and the like are told too. */
  readonly isConfiguring?: boolean;
}

export type Dhcp6Decision =
  | { readonly kind: 'answer'; readonly answer: Dhcp6Answer; readonly effect?: Effect | undefined }
  | { readonly kind: 'silence'; readonly reason: Dhcp6Silence };

/** What a decision depends on besides the message. */
export interface Circumstances {
  readonly leases: LeaseTable<bigint>;
  readonly prefix: Ipv6Prefix;
  readonly serverId: Uint8Array;
  /** Who put the message on the LAN: without a relay that is the client. */
  readonly mac: Mac;
  /** It came to all servers, as it must. */
  readonly isMulticast: boolean;
  /** Seconds since 1970. */
  readonly now: number;
}

/** Associations of a message that are answered, and addresses of one that are looked at. */
const ASSOCIATION_LIMIT = 8;
const ADDRESS_LIMIT = 8;

export function decide(message: Dhcp6Message, circumstances: Circumstances): Dhcp6Decision {
  const refusal = refusalOf(message, circumstances);
  if (refusal !== undefined) return { kind: 'silence', reason: refusal };
  if (!circumstances.isMulticast) return reply({ told: told('use-multicast', 'servers are asked at ff02::1:2') });
  const associations = associationsOf(message.options, ASSOCIATION_LIMIT);
  switch (message.type) {
    case 'confirm':
      return decideConfirm(associations, circumstances);
    case 'release':
    case 'decline':
      return decideReturn(message.type, associations, circumstances);
    case 'information-request':
      // RFC 8415, 16.12: an association belongs into another message.
      if (associations.length > 0) return { kind: 'silence', reason: 'dhcp6-malformed' };
      return reply({ isConfiguring: true });
    default:
      return decideLease(message, associations, circumstances);
  }
}

/** RFC 8415, 16: whom a message names, and how it comes. */
function refusalOf(
  { type, options }: Dhcp6Message,
  { serverId, isMulticast }: Circumstances,
): Dhcp6Silence | undefined {
  if (type === 'advertise' || type === 'reply' || type === 'reconfigure') return 'dhcp6-not-a-request';
  if (duidOf(options, CLIENT_ID) === undefined && (type !== 'information-request' || optionOf(options, CLIENT_ID)))
    return 'dhcp6-malformed';
  const server = optionOf(options, SERVER_ID);
  const isForOne = type === 'request' || type === 'renew' || type === 'release' || type === 'decline';
  if (isForOne ? server === undefined : server !== undefined && type !== 'information-request')
    return 'dhcp6-malformed';
  if (server !== undefined && !isSameAddress(server, serverId)) return 'dhcp6-other-server';
  return isForOne || isMulticast ? undefined : 'dhcp6-unicast';
}

/**
 * RFC 8415, 18.3.1, 18.3.2, 18.3.4 and 18.3.5. A card has one address, for the first IA_NA; nobody gets temporary addresses or
 * prefixes. Who goes on with an address that this server does not know, or cannot leave to it, is given what it can have.
 */
function decideLease(
  { type, options }: Dhcp6Message,
  associations: readonly Association[],
  circumstances: Circumstances,
): Dhcp6Decision {
  const { leases, prefix, mac, now } = circumstances;
  const lead = associations.find(({ code }) => code === IA_NA);
  const asked = lead?.addresses.slice(0, ADDRESS_LIMIT) ?? [];
  const isOffLink = (address: Ipv6): boolean => !isInIpv6Prefix(prefix, address);
  const refuseRest = associations.filter((association) => association !== lead).map(refused);
  if (lead === undefined) return answerTo(type, { verdicts: refuseRest });
  if (type === 'request' && asked.some(isOffLink))
    return answerTo(type, { verdicts: [{ association: lead, told: told('not-on-link', '') }, ...refuseRest] });
  const wish = asked.find((address) => !isOffLink(address));
  const address = leases.choose(mac, wish && ipv6Number(wish), now, () => false);
  const granted = address === undefined ? undefined : ipv6OfNumber(address);
  const isGoingOn = type === 'renew' || type === 'rebind';
  const revoked = isGoingOn ? asked.filter((other) => granted === undefined || !isSameAddress(other, granted)) : [];
  if (address === undefined || granted === undefined)
    return answerTo(type, {
      verdicts: [revoked.length > 0 ? { association: lead, revoked } : refused(lead), ...refuseRest],
    });
  const verdicts = [{ association: lead, granted, revoked }, ...refuseRest];
  const isRapid = type === 'solicit' && optionOf(options, RAPID_COMMIT) !== undefined;
  if (type === 'solicit' && !isRapid) return answerTo(type, { verdicts }, { verb: 'offer', address });
  return reply({ isRapid, isConfiguring: true, verdicts }, { verb: 'bind', address });
}

function answerTo(type: Dhcp6Message['type'], answer: Omit<Dhcp6Answer, 'type'>, effect?: Effect): Dhcp6Decision {
  const answerType = type === 'solicit' ? 'advertise' : 'reply';
  return { kind: 'answer', answer: { type: answerType, isConfiguring: true, ...answer }, effect };
}

function refused(association: Association): Verdict {
  const isPrefix = association.code === IA_PD;
  return {
    association,
    told: isPrefix
      ? told('no-prefix-avail', 'prefixes are not delegated here')
      : told('no-addrs-avail', 'no address for this'),
  };
}

/** RFC 8415, 18.3.3: whether the addresses are of this network, whoever has them. */
function decideConfirm(associations: readonly Association[], { prefix }: Circumstances): Dhcp6Decision {
  const addresses = associations.flatMap((association) => association.addresses);
  if (addresses.length === 0) return { kind: 'silence', reason: 'dhcp6-nothing-to-confirm' };
  const isOnLink = addresses.every((address) => isInIpv6Prefix(prefix, address));
  return reply({
    told: isOnLink ? told('success', '') : told('not-on-link', 'these are addresses of another network'),
  });
}

/** RFC 8415, 18.3.7 and 18.3.8. Who never had the address can neither give it back nor take it out of use. */
function decideReturn(
  verb: 'release' | 'decline',
  associations: readonly Association[],
  { leases, mac }: Circumstances,
): Dhcp6Decision {
  const lease = leases.find(mac);
  const isTheirs =
    lease !== undefined && (lease.state === 'bound' || (verb === 'decline' && lease.state === 'offered'));
  const isIt = ({ code, addresses }: Association): boolean =>
    isTheirs && code === IA_NA && addresses.some((address) => ipv6Number(address) === lease.address);
  const verdicts = associations
    .filter((association) => !isIt(association))
    .map((association) => ({ association, told: told('no-binding', 'this is not leased to you') }));
  const effect = isTheirs && associations.some(isIt) ? ({ verb, address: lease.address } as const) : undefined;
  return reply({ verdicts, told: told('success', '') }, effect);
}

function reply(answer: Omit<Dhcp6Answer, 'type'>, effect?: Effect): Dhcp6Decision {
  return { kind: 'answer', answer: { type: 'reply', ...answer }, effect };
}

function told(status: Dhcp6Status, why: string): Told {
  return { status, why };
}
