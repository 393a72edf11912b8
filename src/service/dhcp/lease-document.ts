/**
 * Leases as the document that survives the process: JSON, addresses as text, times in seconds since 1970.
 * Offers are not in it; a client that was only offered an address starts again.
 */
import { formatMac, parseMac } from '../../wire/mac.ts';
import type { Lease } from './leases.ts';

const VERSION = 1;

/** Addresses of a family as text. */
export interface AddressText<Address> {
  format(address: Address): string;
  parse(text: string): Address | undefined;
}

export function formatLeases<Address>(leases: Iterable<Lease<Address>>, text: AddressText<Address>): string {
  const entries = [...leases]
    .filter(({ state }) => state !== 'offered')
    .map((lease) => ({ ...lease, mac: formatMac(lease.mac), address: text.format(lease.address) }));
  return `${JSON.stringify({ version: VERSION, leases: entries })}\n`;
}

/** The leases of a document; undefined where the text is not one of ours. */
export function parseLeases<Address>(saved: string, text: AddressText<Address>): readonly Lease<Address>[] | undefined {
  const document = parseJson(saved);
  if (!isRecord(document) || document['version'] !== VERSION || !Array.isArray(document['leases'])) return undefined;
  const leases = document['leases'].map((entry) => leaseOf(entry, text));
  return leases.every((lease) => lease !== undefined) ? leases : undefined;
}

function leaseOf<Address>(entry: unknown, text: AddressText<Address>): Lease<Address> | undefined {
  if (!isRecord(entry)) return undefined;
  const mac = parseMac(String(entry['mac']));
  const address = text.parse(String(entry['address']));
  const { state, expires, hostname, clientId } = entry;
  if (mac === undefined || address === undefined || !isSeconds(expires)) return undefined;
  if (state !== 'bound' && state !== 'released') return undefined;
  return {
    mac,
    address,
    state,
    expires,
    ...(typeof hostname === 'string' ? { hostname } : {}),
    ...(typeof clientId === 'string' ? { clientId } : {}),
  };
}

/** How a client identifier is written. */
export function hexOf(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

/** A time that a calendar can show. */
function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 8.64e12;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
