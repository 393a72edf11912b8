/** The messages of a DHCPv6 server, RFC 8415, 18.3.9 and 18.3.10. */
import type { Dhcp6Message, Dhcp6Option } from '../../wire/dhcpv6.ts';
import {
  addressList,
  answeredAssociation,
  BOOTFILE_PARAMETERS,
  BOOTFILE_URL,
  CLIENT_FQDN,
  CLIENT_ID,
  clientFqdnOf,
  DNS_SERVERS,
  DOMAIN_LIST,
  duidOf,
  optionOf,
  PREFERENCE,
  parameterList,
  RAPID_COMMIT,
  requestedOptionsOf,
  SERVER_ID,
  serverFqdn,
  statusOption,
  text,
} from '../../wire/dhcpv6-options.ts';
import { plainNames } from '../../wire/dns-name.ts';
import type { Mac } from '../../wire/mac.ts';
import type { Dhcp6Answer, Verdict } from './decision.ts';
import type { Dhcp6Config } from './dhcp6-config.ts';

/** For clients that send no option 6. */
const DEFAULT_OPTIONS: readonly number[] = [DNS_SERVERS, DOMAIN_LIST];
/** RFC 8415, 18.2.1: nobody waits for a better offer. On this network there is one server. */
const BEST = 255;

export function replyTo(
  message: Dhcp6Message,
  answer: Dhcp6Answer,
  config: Dhcp6Config,
  serverId: Uint8Array,
  mac: Mac,
): Dhcp6Message {
  const options = [...optionsFor(message, answer, config, serverId, mac)];
  return { type: answer.type, transactionId: message.transactionId, options };
}

/** In order of importance: what does not fit into a packet is left out from the end. */
function* optionsFor(
  message: Dhcp6Message,
  { type, isRapid = false, isConfiguring = false, verdicts = [], told }: Dhcp6Answer,
  config: Dhcp6Config,
  serverId: Uint8Array,
  mac: Mac,
): Generator<Dhcp6Option> {
  const clientId = duidOf(message.options, CLIENT_ID);
  if (clientId !== undefined) yield { code: CLIENT_ID, value: clientId };
  yield { code: SERVER_ID, value: serverId };
  if (type === 'advertise') yield { code: PREFERENCE, value: Uint8Array.of(BEST) };
  if (isRapid) yield { code: RAPID_COMMIT, value: new Uint8Array(0) };
  if (told !== undefined) yield statusOption(told.status, told.why);
  for (const verdict of verdicts) yield associationOption(verdict, config.leaseTime);
  if (!isConfiguring) return;
  const asked = requestedOptionsOf(message.options) ?? DEFAULT_OPTIONS;
  const { dns, search, boot } = config;
  if (asked.includes(DNS_SERVERS) && dns.length > 0) yield { code: DNS_SERVERS, value: addressList(dns) };
  if (asked.includes(BOOTFILE_URL) && boot !== undefined) yield { code: BOOTFILE_URL, value: text(boot.url) };
  if (asked.includes(BOOTFILE_PARAMETERS) && boot?.parameters !== undefined)
    yield { code: BOOTFILE_PARAMETERS, value: parameterList(boot.parameters) };
  const name = fqdnFor(message, config, mac);
  if ((asked.includes(CLIENT_FQDN) || optionOf(message.options, CLIENT_FQDN)) && name !== undefined)
    yield { code: CLIENT_FQDN, value: serverFqdn(name, clientFqdnOf(message.options)) };
  if (asked.includes(DOMAIN_LIST) && search.length > 0) yield { code: DOMAIN_LIST, value: plainNames(search) };
}

/** RFC 8415, 14.2: a client renews after half of the time and asks others after four fifths. */
function associationOption({ association, granted, revoked = [], told }: Verdict, leaseTime: number): Dhcp6Option {
  const isGranted = granted !== undefined;
  return answeredAssociation({
    ...association,
    t1: isGranted ? Math.floor(leaseTime / 2) : 0,
    t2: isGranted ? Math.floor((leaseTime * 4) / 5) : 0,
    addresses: [
      ...(isGranted ? [{ address: granted, lifetime: leaseTime }] : []),
      ...revoked.map((address) => ({ address, lifetime: 0 })),
    ],
    status: told && statusOption(told.status, told.why),
  });
}

/** The machine's whole name; its host name is the configured one, else its own. */
function fqdnFor(message: Dhcp6Message, config: Dhcp6Config, mac: Mac): string | undefined {
  const reserved = config.reservations.find((reservation) => reservation.mac === mac)?.hostname;
  const host = reserved ?? config.hostnames?.get(mac) ?? config.hostname ?? ownNameOf(message);
  return host === undefined || config.domain === undefined ? host : `${host}.${config.domain}`;
}

/** What a client calls itself: the first label. One that is no host name (RFC 1123, 2.1) is not repeated to people. */
export function ownNameOf({ options }: Dhcp6Message): string | undefined {
  const label = clientFqdnOf(options)?.name.split('.')[0];
  return label !== undefined && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label) ? label : undefined;
}
