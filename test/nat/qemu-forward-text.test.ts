import { describe, expect, it } from 'vitest';
import type { Issue } from '../../src/base/issue.ts';
import type { ForwardListen, GuestForward } from '../../src/nat/forward-spec.ts';
import { formatForward } from '../../src/nat/forward-text.ts';
import { readGuestfwd, readHostfwd } from '../../src/nat/qemu-forward-text.ts';
import { ip, octets } from '../support/stack-peer.ts';

describe('a rule of hostfwd', () => {
  it.each([
    ['tcp::2222-:22', 'tcp 127.0.0.1:2222 -> 10.0.2.15:22 client=real'],
    [':127.0.0.1:2222-10.0.2.20:22', 'tcp 127.0.0.1:2222 -> 10.0.2.20:22 client=real'],
    ['tcp:[::1]:2222-:22', 'tcp [::1]:2222 -> 10.0.2.15:22 client=real'],
    ['tcp::2222-[fec0::15]:22', 'tcp 127.0.0.1:2222 -> [fec0::15]:22 client=real'],
    ['udp:0.0.0.0:69-:69', 'udp 0.0.0.0:69 -> 10.0.2.15:69 client=real'],
    ['tcp:192.0.2.1:0-:22', 'tcp 192.0.2.1:0 -> 10.0.2.15:22 client=real'],
    ['unix:/run/a-b.sock-:22', 'unix /run/a-b.sock -> 10.0.2.15:22 client=real'],
    ['unix:/run/x.sock-10.0.2.20:22', 'unix /run/x.sock -> 10.0.2.20:22 client=real'],
  ])('%j is read', (text, rule) => {
    const { forward, issues } = hostfwd(text);
    expect(issues).toEqual([]);
    expect(formatForward(forward!)).toBe(rule);
  });

  it('listens on every address where that is said', () => {
    const { forward } = hostfwd('tcp::2222-:22', true);
    expect(forward!.listen).toEqual<ForwardListen>({ kind: 'ip', address: octets('0.0.0.0'), first: 2222, last: 2222 });
  });

  it.each([
    ['2222-:22', 'bad-forward', '"2222-:22" is not a rule of hostfwd'],
    ['tcp::2222', 'bad-forward', '"tcp::2222" is not a rule of hostfwd'],
    ['sctp::2222-:22', 'unknown-protocol', '"sctp" is none of tcp, udp and unix'],
    ['tcp:[::1:2222-:22', 'bad-forward', '"tcp:[::1:2222-:22" is not a rule of hostfwd'],
    ['tcp:localhost:2222-:22', 'bad-address', '"localhost" is not an address'],
    ['tcp::-:22', 'bad-port', '"" is not a port'],
    ['tcp::2222-:0', 'bad-port', '"0" is not a port'],
    ['tcp::2222-:99999', 'bad-port', '"99999" is not a port'],
    ['tcp::2222-guest:22', 'bad-address', '"guest" is not an address'],
    ['unix:run/x.sock-:22', 'bad-path', 'the path run/x.sock of the socket is relative'],
    ['unix:/run/x.sock', 'bad-forward', '"unix:/run/x.sock" is not a rule of hostfwd'],
  ])('%j is refused with what to do', (text, code, message) => {
    const { forward, issues } = hostfwd(text);
    expect(forward).toBeUndefined();
    expect(issues).toEqual([{ code, message, path: ['hostfwd'], hint: expect.any(String) }]);
  });
});

describe('a rule of guestfwd', () => {
  it.each<[string, GuestForward['to']]>([
    ['tcp:10.0.2.100:1234-cmd:nc -v 192.0.2.1 4321', { kind: 'command', command: 'nc -v 192.0.2.1 4321' }],
    ['tcp:10.0.2.100:1234-tcp:192.0.2.1:80', { kind: 'tcp', endpoint: { address: octets('192.0.2.1'), port: 80 } }],
    ['tcp:10.0.2.100:1234-unix:/run/x-y.sock', { kind: 'unix', path: '/run/x-y.sock' }],
  ])('%j is read', (text, to) => {
    const { forward, issues } = guestfwd(text);
    expect(issues).toEqual([]);
    expect(forward).toEqual({ address: ip('10.0.2.100'), port: 1234, to });
  });

  it('is TCP where it does not say so, and may name the host', () => {
    expect(guestfwd(':10.0.2.100:80-tcp:localhost:8080').forward).toEqual({
      address: ip('10.0.2.100'),
      port: 80,
      to: { kind: 'tcp', endpoint: { address: octets('127.0.0.1'), port: 8080 } },
    });
  });

  it.each([
    ['10.0.2.100:1234', 'bad-forward', '"10.0.2.100:1234" is not a rule of guestfwd'],
    ['udp:10.0.2.100:1234-cmd:x', 'unknown-protocol', 'guestfwd has TCP only, not "udp"'],
    ['tcp::1234-cmd:x', 'bad-address', '"" is not an address'],
    ['tcp:10.0.2.100:0-cmd:x', 'bad-port', '"0" is not a port'],
    ['tcp:10.0.2.100:1-cmd: ', 'bad-forward', 'the command is missing'],
    ['tcp:10.0.2.100:1-stdio', 'not-supported', 'a connection cannot be forwarded to the character device "stdio"'],
    [
      'tcp:10.0.2.100:1-file:/tmp/x',
      'not-supported',
      'a connection cannot be forwarded to the character device "file"',
    ],
    ['tcp:10.0.2.100:1-tcp:example.org:80', 'bad-address', '"example.org" is not an address'],
    ['tcp:10.0.2.100:1-tcp:192.0.2.1', 'bad-forward', '"192.0.2.1" is not ADDR:PORT'],
    [
      'tcp:10.0.2.100:1-tcp:192.0.2.1:80,server=on',
      'not-supported',
      'options of a character device (server=on) have no meaning here: each connection of the guest connects',
    ],
    ['tcp:10.0.2.100:1-unix:x', 'bad-path', 'the path x of the socket is relative'],
  ])('%j is refused with what to do', (text, code, message) => {
    const { forward, issues } = guestfwd(text);
    expect(forward).toBeUndefined();
    expect(issues).toEqual([{ code, message, path: ['guestfwd'], hint: expect.any(String) }]);
  });
});

function hostfwd(text: string, listensEverywhere = false) {
  const issues: Issue[] = [];
  const forward = readHostfwd(text, { guest: ip('10.0.2.15'), listensEverywhere }, ['hostfwd'], issues);
  return { forward, issues };
}

function guestfwd(text: string) {
  const issues: Issue[] = [];
  return { forward: readGuestfwd(text, ['guestfwd'], issues), issues };
}
