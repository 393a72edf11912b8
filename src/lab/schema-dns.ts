/** The words of a network for its name server. */
import { z } from 'zod';
import { parseEndpoint } from '../wire/endpoint-text.ts';
import { list, mapping, oneOrMore, parsed } from './schema-forms.ts';
import { address, domain } from './schema-values.ts';
import { parseAaaa, parseMx, parseName, parseOwner, parseSrv } from './setting-text.ts';

const recordName = parsed('bad-domain', 'a domain name', ['web', 'mail.example.org'], parseName);
const recordOwner = parsed('bad-domain', 'a domain name or *.NAME', ['web', '*.apps', '_sip._tcp'], parseOwner);
const recordAddress = oneOrMore(address, 'an IPv4 address');
const aaaa = oneOrMore(parsed('bad-address', 'an IPv6 address', ['fd00::9'], parseAaaa), 'an IPv6 address');
const txt = z.string().max(4096);
const srv = parsed('bad-record', 'PRIORITY WEIGHT PORT TARGET', ['0 5 5060 sip'], parseSrv);
const mx = parsed('bad-record', 'PREFERENCE EXCHANGE', ['10 mail'], parseMx);

const record = mapping({
  name: recordOwner.describe(
    "A name without a dot is in the network's domain, `*.` and `_service._tcp.` in front aside; one with a dot is whole",
  ),
  a: recordAddress.optional(),
  aaaa: aaaa.optional(),
  cname: recordName.optional(),
  txt: oneOrMore(txt, 'a text').optional(),
  srv: oneOrMore(srv, 'PRIORITY WEIGHT PORT TARGET').optional(),
  mx: oneOrMore(mx, 'PREFERENCE EXCHANGE').optional(),
  ttl: z.int().min(0).max(2_147_483_647).optional().describe('Seconds; 60 where it is left out'),
});

const server = parsed('bad-address', 'the address of a name server', ['10.9.0.53', '10.9.0.53:5353'], (text) =>
  parseEndpoint(text, 53),
);

export const dns = z.union(
  [
    z.literal(false),
    mapping({
      domain: domain.optional().describe('Where machines are found by name; lab.internal where it is left out'),
      records: list(record).optional(),
      forward: z
        .record(z.string(), oneOrMore(server, 'the address of a name server'))
        .optional()
        .describe("Who is asked about a domain and what is below it, in place of the host's name servers"),
      upstream: z
        .union([z.literal('host'), list(server)], { error: 'expected host or a list of name servers' })
        .optional()
        .describe("Who is asked about the rest: the host's name servers, these, or with [] nobody"),
    }),
  ],
  { error: 'expected false or { domain, records, … }' },
);

export type DnsEntry = Exclude<z.output<typeof dns>, false>;
export type RecordEntry = z.output<typeof record>;
