import type { LabPlan } from '../../src/lab/plan.ts';
import { formatAddress } from '../../src/wire/endpoint-text.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import { formatMac } from '../../src/wire/mac.ts';

const ADDRESSES = new Set([
  'address',
  'first',
  'last',
  'routers',
  'dns',
  'ntp',
  'server',
  'gateway',
  'source',
  'guest',
  'excluded',
  'via',
]);

/** A plan as people read it: addresses as text, one value a line. */
export function planText(plan: LabPlan): string {
  return `${JSON.stringify(readable(plan), undefined, 2)}\n`;
}

function readable(value: unknown, key = ''): unknown {
  if (typeof value === 'number')
    return key === 'mac' ? formatMac(value) : ADDRESSES.has(key) && value > 0xffff ? formatIpv4(value) : value;
  if (value instanceof Uint8Array) return formatAddress(value);
  if (Array.isArray(value)) return value.map((item) => readable(item, key));
  if (value instanceof Map) return Object.fromEntries([...value].map(([mac, name]) => [formatMac(mac), name]));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, readable(inner, name)]));
}
