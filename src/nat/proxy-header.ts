/**
 * HAProxy's PROXY protocol (proxy-protocol.txt, 2020/03/05): a header in front of a connection's octets that says who the client is.
 *
 *     1   PROXY TCP4 <source> <destination> <source port> <destination port>\r\n        2.1, human-readable
 *
 *     2   octet  0           12           13         14       16
 *                +-----------+------------+----------+--------+---------------------------------------- - -
 *                | signature | version,   | family,  | length | source, destination: addresses, then ports
 *                |           | command    | protocol |        |
 *                +-----------+------------+----------+--------+---------------------------------------- - -
 */
import type { Endpoint } from '../base/endpoint.ts';
import { formatAddress } from '../wire/endpoint-text.ts';
import { writeUint16 } from '../wire/octets.ts';

/** Who is connected with whom; undefined where that has no addresses, as over a unix socket. */
export interface ProxiedConnection {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** The header, whole. */
export function proxyHeader(version: 1 | 2, connection: ProxiedConnection | undefined): Uint8Array {
  const told = connection && inOneFamily(connection);
  return version === 1 ? textHeader(told) : binaryHeader(told);
}

/** Both addresses have 4 octets, or both have 16: an IPv4 address beside an IPv6 one is written as mapped (RFC 4291, 2.5.5.2). */
function inOneFamily(connection: ProxiedConnection): ProxiedConnection {
  const source = unmapped(connection.source);
  const destination = unmapped(connection.destination);
  if (source.address.length === destination.address.length) return { source, destination };
  return { source: mapped(source), destination: mapped(destination) };
}

const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

function unmapped(endpoint: Endpoint): Endpoint {
  const { address, port } = endpoint;
  const isMapped = address.length === 16 && MAPPED_PREFIX.every((octet, i) => address[i] === octet);
  return isMapped ? { address: address.subarray(12), port } : endpoint;
}

function mapped(endpoint: Endpoint): Endpoint {
  const { address, port } = endpoint;
  return address.length === 16 ? endpoint : { address: Uint8Array.of(...MAPPED_PREFIX, ...address), port };
}

function textHeader(connection: ProxiedConnection | undefined): Uint8Array {
  if (connection === undefined) return new TextEncoder().encode('PROXY UNKNOWN\r\n');
  const { source, destination } = connection;
  const family = source.address.length === 4 ? 'TCP4' : 'TCP6';
  const addresses = `${formatAddress(source.address)} ${formatAddress(destination.address)}`;
  return new TextEncoder().encode(`PROXY ${family} ${addresses} ${source.port} ${destination.port}\r\n`);
}

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const VERSION_2_PROXY = 0x21;
/** The connection is the proxy's own: every receiver takes it (2.2), as it need not with `PROXY` and no addresses. */
const VERSION_2_LOCAL = 0x20;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const FIXED_LENGTH = 16;

function binaryHeader(connection: ProxiedConnection | undefined): Uint8Array {
  if (connection === undefined) return Uint8Array.of(...SIGNATURE, VERSION_2_LOCAL, UNSPECIFIED, 0, 0);
  const { source, destination } = connection;
  const size = source.address.length;
  const header = new Uint8Array(FIXED_LENGTH + 2 * size + 4);
  header.set(SIGNATURE);
  header[12] = VERSION_2_PROXY;
  header[13] = size === 4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  writeUint16(header, 14, header.length - FIXED_LENGTH);
  header.set(source.address, FIXED_LENGTH);
  header.set(destination.address, FIXED_LENGTH + size);
  writeUint16(header, FIXED_LENGTH + 2 * size, source.port);
  writeUint16(header, FIXED_LENGTH + 2 * size + 2, destination.port);
  return header;
}
