import { describe, expect, it } from 'vitest';
import type { Issue } from '../../src/base/issue.ts';
import type { GuestForward } from '../../src/nat/forward-spec.ts';
import { readGuestForward } from '../../src/nat/guest-forward-text.ts';
import { parseEndpoint } from '../../src/wire/endpoint-text.ts';
import { parseIpv4 } from '../../src/wire/ipv4-address.ts';

describe('a forward from guests to the host', () => {
  it.each<[string, GuestForward['to']]>([
    ['tcp 127.0.0.1:8080', { kind: 'tcp', endpoint: parseEndpoint('127.0.0.1:8080')! }],
    ['tcp [::1]:8080', { kind: 'tcp', endpoint: parseEndpoint('[::1]:8080')! }],
    ['unix /run/web server.sock', { kind: 'unix', path: '/run/web server.sock' }],
    ['command tr a-z A-Z | tee "log -> 1"', { kind: 'command', command: 'tr a-z A-Z | tee "log -> 1"' }],
  ])('leads to %s', (target, to) => {
    expect(readGuestForward(`10.0.2.100:80 -> ${target}`, [], [])).toEqual({
      address: parseIpv4('10.0.2.100'),
      port: 80,
      to,
    });
  });

  it('may have spaces around the arrow, or none, and say localhost', () => {
    expect(readGuestForward(' 10.0.2.100:80->tcp localhost:8080 ', [], [])).toEqual(
      readGuestForward('10.0.2.100:80 -> tcp 127.0.0.1:8080', [], []),
    );
  });

  it.each([
    ['10.0.2.100:80', 'bad-forward'],
    ['10.0.2.100 -> command cat', 'bad-forward'],
    ['web:80 -> command cat', 'bad-address'],
    ['10.0.2.100:0 -> command cat', 'bad-port'],
    ['10.0.2.100:80 -> udp 127.0.0.1:53', 'unknown-target'],
    ['10.0.2.100:80 -> tcp 127.0.0.1', 'bad-address'],
    ['10.0.2.100:80 -> tcp 127.0.0.1:0', 'bad-address'],
    ['10.0.2.100:80 -> unix web.sock', 'bad-path'],
    ['10.0.2.100:80 -> command', 'bad-forward'],
  ])('%s is refused with a remedy', (text, code) => {
    const issues: Issue[] = [];
    expect(readGuestForward(text, ['here'], issues)).toBeUndefined();
    expect(issues).toEqual([{ code, path: ['here'], message: expect.any(String), hint: expect.any(String) }]);
  });
});
