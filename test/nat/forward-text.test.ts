import { describe, expect, it } from 'vitest';
import type { Issue } from '../../src/base/issue.ts';
import type { ForwardListen, HostForward } from '../../src/nat/forward-spec.ts';
import { formatForward, formatTarget, forwardKey, readForward } from '../../src/nat/forward-text.ts';
import { ip, octets } from '../support/stack-peer.ts';

describe('the text of a forward', () => {
  it.each<[string, HostForward]>([
    ['tcp 127.0.0.1:8080 -> web:80', rule('tcp', at('127.0.0.1', 8080), 'web', 80)],
    ['udp 5353 -> 10.0.2.15:53', rule('udp', at('127.0.0.1', 5353), ip('10.0.2.15'), 53)],
    ['tcp 0 -> Web.Lab.internal:80', rule('tcp', at('127.0.0.1', 0), 'web.lab.internal', 80)],
    ['tcp 8000-8010 -> web:8000', rule('tcp', at('127.0.0.1', 8000, 8010), 'web', 8000)],
    ['tcp *:80->10.0.2.15:80', rule('tcp', at('0.0.0.0', 80), ip('10.0.2.15'), 80)],
    ['tcp localhost:80-80 -> 3com:80', rule('tcp', at('127.0.0.1', 80), '3com', 80)],
    ['unix /run/x.sock -> web:22', rule('tcp', { kind: 'unix', path: '/run/x.sock' }, 'web', 22)],
    ['unix /run/my lab/x-1.sock -> web:22', rule('tcp', { kind: 'unix', path: '/run/my lab/x-1.sock' }, 'web', 22)],
    [
      ' tcp 192.0.2.1:80 -> web:80  proxy=v2 client=real ',
      { ...rule('tcp', at('192.0.2.1', 80), 'web', 80), proxyProtocol: 2, showsClient: true },
    ],
    ['tcp 80 -> web:80 proxy=v1 client=gateway', { ...rule('tcp', at('127.0.0.1', 80), 'web', 80), proxyProtocol: 1 }],
  ])('%j is read', (text, expected) => {
    expect(read(text)).toEqual({ forward: expected, issues: [] });
  });

  it.each([
    ['', 'bad-forward', '"" is not a forward'],
    ['tcp 80 web:80', 'bad-forward', '"tcp 80 web:80" is not a forward'],
    ['tpc 80 -> web:80', 'unknown-protocol', '"tpc" is none of tcp, udp and unix'],
    ['sctp 80 -> web:80', 'unknown-protocol', '"sctp" is none of tcp, udp and unix'],
    ['tcp 65536 -> web:80', 'bad-port', '"65536" is not a port'],
    ['tcp http -> web:80', 'bad-forward', '"http" is not a place to listen at'],
    ['tcp 10.0.2.300:80 -> web:80', 'bad-address', '"10.0.2.300" is not an address'],
    ['tcp ::1:80 -> web:80', 'bad-address', '"::1" is not an address'],
    ['tcp 80 -> [fd00::g]:80', 'bad-address', '"[fd00::g]" is not an address'],
    ['tcp 90-80 -> web:80', 'bad-port', 'the range 90-80 ends before it begins'],
    ['tcp 0-80 -> web:80', 'bad-port', 'port 0 asks for a free port and begins no range'],
    ['tcp 80-90 -> web:65530', 'bad-port', "the guest's ports would go on behind 65535"],
    ['tcp 80 -> web', 'bad-forward', '"web" names no port of the guest'],
    ['tcp 80 -> web:0', 'bad-port', '"0" is not a port'],
    ['tcp 80 -> web_1:80', 'bad-address', '"web_1" is not an address'],
    ['tcp 80 -> 10.0.2:80', 'bad-address', '"10.0.2" is not an address'],
    ['tcp 80 -> web:80 proxy=v3', 'unknown-option', '"proxy=v3" is no option of a forward'],
    ['udp 53 -> web:53 proxy=v1', 'bad-forward', 'a PROXY header goes before a stream, and UDP has none'],
    ['unix x.sock -> web:22', 'bad-path', 'the path x.sock of the socket is relative'],
  ])('%j is refused with what to do', (text, code, message) => {
    const { forward, issues } = read(text);
    expect(forward).toBeUndefined();
    expect(issues).toEqual([{ code, message, path: ['forwards', 0], hint: expect.any(String) }]);
  });

  it('guesses what was meant', () => {
    expect(read('tpc 80 -> web:80').issues[0]!.hint).toBe('did you mean tcp?');
    expect(read('tcp 80 -> fd00::10:80').issues[0]!.hint).toBe('write [fd00::10]');
    expect(read('tcp 80 -> web:80 proxy=2').issues[0]!.hint).toMatch(/^did you mean proxy=v/);
  });

  it.each([
    'tcp 127.0.0.1:8080 -> web:80',
    'udp 127.0.0.1:5353 -> 10.0.2.15:53',
    'tcp [::1]:8080 -> [fd00::10]:80',
    'udp [::]:53-54 -> web:53',
    'tcp 0.0.0.0:8000-8010 -> web:8000 client=real',
    'unix /run/x.sock -> web:22 proxy=v2',
  ])('%j is written as it was read', (text) => {
    expect(formatForward(read(text).forward!)).toBe(text);
  });

  it('has a key, its protocol and where it listens', () => {
    expect(forwardKey(read('udp 5353 -> web:53').forward!)).toBe('udp 127.0.0.1:5353');
    expect(forwardKey(read('unix /run/x -> web:53').forward!)).toBe('unix /run/x');
  });
});

describe('the text of a socket', () => {
  it('says what kind of socket it is', () => {
    expect(formatTarget({ kind: 'unix', path: '/run/x' })).toBe('unix /run/x');
    expect(formatTarget({ kind: 'tcp', endpoint: { address: octets('192.0.2.7'), port: 80 } })).toBe(
      'tcp 192.0.2.7:80',
    );
  });
});

function read(text: string) {
  const issues: Issue[] = [];
  const forward = readForward(text, ['forwards', 0], issues);
  return { forward, issues };
}

function rule(protocol: 'tcp' | 'udp', listen: ForwardListen, guest: number | string, guestPort: number): HostForward {
  return { protocol, listen, guest, guestPort, showsClient: false };
}

function at(address: string, first: number, last = first): ForwardListen {
  return { kind: 'ip', address: octets(address), first, last };
}
