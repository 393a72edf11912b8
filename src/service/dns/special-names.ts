/** Names that no name server of the world is asked about: what is below them exists here or not at all. */

/** RFC 6761 (invalid), RFC 6762 (local), RFC 7686 (onion), and `internal`, which ICANN keeps for private use. */
const PRIVATE_DOMAINS = ['internal', 'invalid', 'local', 'onion'];

/** RFC 6303, 4, and its registry: the names of addresses that mean something else in each network. */
const PRIVATE_REVERSE_DOMAINS = [
  '0.in-addr.arpa',
  '10.in-addr.arpa',
  '127.in-addr.arpa',
  '254.169.in-addr.arpa',
  ...Array.from({ length: 16 }, (_, i) => `${16 + i}.172.in-addr.arpa`),
  '168.192.in-addr.arpa',
  ...Array.from({ length: 64 }, (_, i) => `${64 + i}.100.in-addr.arpa`),
  '2.0.192.in-addr.arpa',
  '100.51.198.in-addr.arpa',
  '113.0.203.in-addr.arpa',
  '255.255.255.255.in-addr.arpa',
  `${'0.'.repeat(32)}ip6.arpa`,
  `1.${'0.'.repeat(31)}ip6.arpa`,
  'd.f.ip6.arpa',
  '8.e.f.ip6.arpa',
  '9.e.f.ip6.arpa',
  'a.e.f.ip6.arpa',
  'b.e.f.ip6.arpa',
  '8.b.d.0.1.0.0.2.ip6.arpa',
];

const PRIVATE: ReadonlySet<string> = new Set([...PRIVATE_DOMAINS, ...PRIVATE_REVERSE_DOMAINS]);

/** The private domain that the name is or is in. */
export function privateDomainOf(name: string): string | undefined {
  for (const domain of domainsOf(name)) if (PRIVATE.has(domain)) return domain;
  return undefined;
}

/** The name and the domains above it, but the root, from the longest. */
export function* domainsOf(name: string): Generator<string> {
  for (let domain = name; domain !== ''; domain = parentOf(domain)) yield domain;
}

/** The domain above; the root is the empty text. A dot within a label is written as digits, so every dot divides. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot === -1 ? '' : name.slice(dot + 1);
}

export function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** RFC 6761, 6.3. */
export function isLocalhost(name: string): boolean {
  return isWithin(name, 'localhost');
}
