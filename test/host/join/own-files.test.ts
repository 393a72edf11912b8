import { expect, it } from 'vitest';
import { hostsText, resolverText, switchText } from '../../../src/host/join/own-files.ts';

it('names are asked of the name servers of the network, in its domain', () => {
  const text = resolverText({ servers: ['10.0.2.3', '10.0.2.4'], domain: 'office.internal' });
  expect(text).toBe(
    '# The names of a vmlan network.\nsearch office.internal\nnameserver 10.0.2.3\nnameserver 10.0.2.4\n',
  );
  expect(resolverText({ servers: [] })).toBe('# The names of a vmlan network.\n');
});

it.each(['office.internal\nnameserver 10.0.2.66', 'two words', ''])(
  'a domain that is none is left out: %j',
  (domain) => {
    expect(resolverText({ servers: [], domain })).toBe('# The names of a vmlan network.\n');
  },
);

it.each([
  [
    'passwd: files\nhosts: files mdns4_minimal [NOTFOUND=return] resolve dns\nnetworks: files\n',
    'passwd: files\nnetworks: files\n',
  ],
  ['hosts:files\npasswd: files systemd', 'passwd: files systemd\n'],
  ['# hosts: no rule\n', '# hosts: no rule\n'],
])('hosts are looked up in files and by DNS only, whatever else the machine asks: %j', (text, rest) => {
  expect(switchText(text)).toBe(`${rest}hosts: files dns\n`);
});

it('the only name of the machine is its own', () => {
  expect(hostsText('laptop').match(/^127\S+ \S+$/gm)).toEqual(['127.0.0.1 localhost', '127.0.1.1 laptop']);
});
