import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUserOptions } from '../../src/qemu/user-options.ts';

describe("the options of QEMU's user network", () => {
  it('are read as written', () => {
    const text =
      'net=10.0.3.0/24,host=10.0.3.1,dhcpstart=10.0.3.9,hostname=vm,domainname=lab,tftp=a,,b,bootfile=c,tftp-server-name=d';
    expect(parseUserOptions(text)).toEqual({
      options: {
        net: '10.0.3.0/24',
        host: '10.0.3.1',
        dhcpstart: '10.0.3.9',
        hostname: 'vm',
        domainname: 'lab',
        tftp: 'a,b',
        bootfile: 'c',
        tftpServerName: 'd',
        dnssearch: [],
      },
      issues: [],
    });
  });

  it('may repeat dnssearch; of other options the last counts', () => {
    const { options } = parseUserOptions('dnssearch=a,hostname=x,dnssearch=b,hostname=y');
    expect(options).toEqual({ dnssearch: ['a', 'b'], hostname: 'y' });
  });

  it.each(['', 'user', 'user,id=net0', 'ipv4=on', 'ipv4', 'ipv6=off', 'noipv6'])(
    'ask for nothing special as %j',
    (text) => {
      expect(parseUserOptions(text)).toEqual({ options: { dnssearch: [] }, issues: [] });
    },
  );

  it.each([
    ['dns=10.0.2.3', 'not-supported', 'vmlan has no name server yet'],
    ['restrict=on', 'not-supported', 'vmlan has no way out of the network yet, so there is nothing to restrict'],
    ['hostfwd=tcp::2222-:22', 'not-supported', 'vmlan does not forward from the host to guests yet'],
    ['guestfwd=tcp:10.0.2.9:80-cmd:cat', 'not-supported', 'vmlan does not forward from guests to the host yet'],
    ['smb=/srv', 'not-supported', 'vmlan has no SMB server; share files over TFTP or a 9p device'],
    ['smbserver=10.0.2.4', 'not-supported', 'vmlan has no SMB server'],
    ['ipv6=on', 'not-supported', 'vmlan does not give guests IPv6 addresses yet'],
    ['ipv6-prefix=fec0::', 'not-supported', 'vmlan does not give guests IPv6 addresses yet'],
    ['ipv4=off', 'not-supported', 'without IPv4 nothing would be left'],
    ['noipv4', 'not-supported', 'without IPv4 nothing would be left'],
    ['ipv4=maybe', 'bad-value', 'the value is neither on nor off'],
    ['tftp', 'empty-value', 'the value is missing'],
    ['dnssearch', 'empty-value', 'the value is missing'],
    ['domainname=', 'empty-value', 'the value is missing'],
    [`hostname=${'é'.repeat(128)}`, 'too-long', 'the value is longer than 255 octets'],
    ['toString=1', 'unknown-option', 'QEMU knows no such option of -netdev user'],
  ])('are refused as %s', (text, code, message) => {
    expect(parseUserOptions(text).issues).toMatchObject([{ code, message }]);
  });

  it('guess at what a misspelt one should have been', () => {
    expect(parseUserOptions('tfpt=/srv').issues[0]?.hint).toBe('did you mean tftp?');
  });

  it('have all their mistakes told at once', () => {
    expect(parseUserOptions('smb=/a,foo=1,hostname=vm,dns=1.2.3.4').issues.map(({ path }) => path)).toEqual([
      ['smb'],
      ['foo'],
      ['dns'],
    ]);
  });

  it('may be any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseUserOptions(text)).not.toThrow();
      }),
    );
  });
});
