import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUserOptions } from '../../src/qemu/user-options.ts';

const NOTHING = { dnssearch: [], hostfwd: [], guestfwd: [], isRestricted: false, hasIpv4: true, hasIpv6: true };

describe("the options of QEMU's user network", () => {
  it('are read as written', () => {
    const text =
      'net=10.0.3.0/24,host=10.0.3.1,dns=10.0.3.3,dhcpstart=10.0.3.9,hostname=vm,domainname=lab,tftp=a,,b,bootfile=c,tftp-server-name=d,smb=/srv,smbserver=10.0.3.4,ipv6-prefix=fd00::,ipv6-prefixlen=56,ipv6-host=fd00::1,ipv6-dns=fd00::53,restrict=on';
    expect(parseUserOptions(text)).toEqual({
      options: {
        net: '10.0.3.0/24',
        host: '10.0.3.1',
        dns: '10.0.3.3',
        dhcpstart: '10.0.3.9',
        hostname: 'vm',
        domainname: 'lab',
        tftp: 'a,b',
        bootfile: 'c',
        tftpServerName: 'd',
        smb: '/srv',
        smbserver: '10.0.3.4',
        ipv6Prefix: 'fd00::',
        ipv6PrefixLength: '56',
        ipv6Host: 'fd00::1',
        ipv6Dns: 'fd00::53',
        ...NOTHING,
        isRestricted: true,
      },
      issues: [],
    });
  });

  it('may repeat lists; of other options the last counts', () => {
    const { options } = parseUserOptions('dnssearch=a,hostname=x,dnssearch=b,hostname=y,restrict=on,restrict=off');
    expect(options).toEqual({ ...NOTHING, dnssearch: ['a', 'b'], hostname: 'y' });
  });

  it('keep the text of every forward', () => {
    const { options } = parseUserOptions('hostfwd=tcp::2222-:22,guestfwd=tcp:10.0.2.9:80-cmd:a,,b,hostfwd=udp::53-:53');
    expect(options).toMatchObject({
      hostfwd: ['tcp::2222-:22', 'udp::53-:53'],
      guestfwd: ['tcp:10.0.2.9:80-cmd:a,b'],
    });
  });

  it.each([
    ['restrict', true],
    ['restrict=on', true],
    ['restrict=yes', true],
    ['restrict=true', true],
    ['restrict=y', true],
    ['restrict=off', false],
    ['norestrict', false],
  ])('close the network as %s', (text, isRestricted) => {
    expect(parseUserOptions(text)).toEqual({ options: { ...NOTHING, isRestricted }, issues: [] });
  });

  it.each(['', 'user', 'user,id=net0', 'ipv4=on,ipv6=on'])('ask for nothing special as %j', (text) => {
    expect(parseUserOptions(text)).toEqual({ options: NOTHING, issues: [] });
  });

  it.each([
    ['ipv4=on', true, false],
    ['ipv4', true, false],
    ['ipv6=off', true, false],
    ['noipv6', true, false],
    ['ipv6=on', false, true],
    ['ipv6', false, true],
    ['ipv4=off', false, true],
    ['noipv4', false, true],
    ['ipv6=on,ipv4=on', true, true],
  ])('switch families as %s: the other off where only one is named', (text, hasIpv4, hasIpv6) => {
    expect(parseUserOptions(text)).toEqual({ options: { ...NOTHING, hasIpv4, hasIpv6 }, issues: [] });
  });

  it.each([
    ['ipv6-net=fd00::/56', { ipv6Prefix: 'fd00::', ipv6PrefixLength: '56' }],
    ['ipv6-net=fd00::', { ipv6Prefix: 'fd00::' }],
    ['ipv6-net=fd00::/56,ipv6-prefixlen=64', { ipv6Prefix: 'fd00::', ipv6PrefixLength: '64' }],
  ])('read %s as a prefix and its length', (text, prefix) => {
    expect(parseUserOptions(text)).toEqual({ options: { ...NOTHING, ...prefix }, issues: [] });
  });

  it.each([
    ['restrict=maybe', 'bad-value', 'the value is neither on nor off'],
    ['hostfwd=', 'empty-value', 'the value is missing'],
    ['smb=', 'empty-value', 'the value is missing'],
    ['ipv4=off,ipv6=off', 'no-family', 'without IPv4 and IPv6 nothing is left'],
    ['ipv4=off,net=10.0.2.0/24', 'family-off', 'ipv4 is off, so nothing would be done about net'],
    ['ipv4=on,ipv6-host=fec0::9', 'family-off', 'ipv6 is off, so nothing would be done about ipv6-host'],
    ['ipv6-net', 'empty-value', 'the value is missing'],
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
    expect(parseUserOptions('smb=,foo=1,hostname=vm,ipv6=no,ipv6-dns=::3').issues.map(({ path }) => path)).toEqual([
      ['smb'],
      ['foo'],
      ['ipv6-dns'],
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
