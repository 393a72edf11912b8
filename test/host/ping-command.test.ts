import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PingCommandEcho, readReport } from '../../src/host/ping-command.ts';
import { parseIpv6 } from '../../src/wire/ipv6-text.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

const TARGET = new Uint8Array([192, 0, 2, 1]);

/** What iputils 20221126 and BusyBox 1.35 print. */
const IPUTILS_REPLY = `PING 127.0.0.1 (127.0.0.1) 4(32) bytes of data.
12 bytes from 127.0.0.1: icmp_seq=1 ttl=64

--- 127.0.0.1 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
`;
const BUSYBOX_REPLY = `PING 127.0.0.1 (127.0.0.1): 4 data bytes
12 bytes from 127.0.0.1: seq=0 ttl=63 time=0.100 ms
`;
const error = (what: string) => `PING 10.9.2.2 (10.9.2.2) 56(84) bytes of data.
From 10.9.1.1 icmp_seq=1 ${what}

--- 10.9.2.2 ping statistics ---
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms
`;

describe('the report of ping', () => {
  it('is an answer with its time to live, by iputils and by BusyBox', () => {
    const from = new Uint8Array([127, 0, 0, 1]);
    expect(readReport(IPUTILS_REPLY)).toEqual({ kind: 'reply', from, ttl: 64 });
    expect(readReport(BUSYBOX_REPLY)).toEqual({ kind: 'reply', from, ttl: 63 });
  });

  it.each([
    ['Time to live exceeded', 11, 0],
    ['Destination Host Unreachable', 3, 1],
    ['Destination Net Unreachable', 3, 0],
    ['Packet filtered', 3, 13],
  ])('is an error that says %s', (what, type, code) => {
    expect(readReport(error(what))).toEqual({ kind: 'error', from: new Uint8Array([10, 9, 1, 1]), type, code });
  });

  it('is an answer over IPv6, by iputils and by BusyBox', () => {
    const from = parseIpv6('fd00::1');
    const iputils = 'PING fd00::1(fd00::1) 56 data bytes\n64 bytes from fd00::1: icmp_seq=1 ttl=63 time=5.27 ms\n';
    const busybox = 'PING fd00::1 (fd00::1): 56 data bytes\n64 bytes from fd00::1: seq=0 ttl=63 time=0.1 ms\n';
    expect([iputils, busybox].map(readReport)).toEqual(new Array(2).fill({ kind: 'reply', from, ttl: 63 }));
  });

  it.each([
    ['Time exceeded: Hop limit', 3, 0],
    ['Destination unreachable: No route', 1, 0],
    ['Destination unreachable: Administratively prohibited', 1, 1],
    ['Destination unreachable: Address unreachable', 1, 3],
    ['Destination unreachable: Port unreachable', 1, 4],
  ])('is an error over IPv6 that says %s', (what, type, code) => {
    const report = `PING 2001:db8::1(2001:db8::1) 56 data bytes\nFrom fd00::1%eth0 icmp_seq=1 ${what}\n`;
    expect(readReport(report)).toEqual({ kind: 'error', from: parseIpv6('fd00::1'), type, code });
  });

  it('is nothing where nobody answered, and where the error is unknown', () => {
    expect(
      readReport('PING 10.9.2.2 (10.9.2.2) 56(84) bytes of data.\n\n1 packets transmitted, 0 received'),
    ).toBeUndefined();
    expect(readReport(error('Something new'))).toBeUndefined();
    expect(readReport('')).toBeUndefined();
  });
});

/** A program in the place of ping. */
function program(script: string): string {
  const path = join(temporaryFolder(), 'ping');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('echo requests by the command', () => {
  it('ask for the size and time to live, and give back the payload that was sent', async () => {
    const asked = join(temporaryFolder(), 'asked');
    const replies: unknown[] = [];
    const echo = new PingCommandEcho(program(`printf '%s ' "$@" >${asked}\ncat <<.\n${IPUTILS_REPLY}.`), 4, {
      replied: (...values) => replies.push(values),
      refused: () => undefined,
    });
    onTestFinished(() => echo.close());
    echo.send(TARGET, 7, new Uint8Array([1, 2, 3]), 5);
    await waitFor(() => replies.length === 1);
    expect(replies).toEqual([[new Uint8Array([127, 0, 0, 1]), 7, new Uint8Array([1, 2, 3]), 64]]);
    expect(readFileSync(asked, 'utf8')).toBe('-n -c 1 -W 5 -t 5 -s 3 192.0.2.1 ');
  });

  it('ask by IPv6 for an address of 16 octets', async () => {
    const asked = join(temporaryFolder(), 'asked');
    const replies: unknown[] = [];
    const report = '11 bytes from 2001:db8::1: icmp_seq=1 ttl=60 time=1 ms';
    const echo = new PingCommandEcho(program(`printf '%s ' "$@" >${asked}\necho '${report}'`), 6, {
      replied: (from, sequence) => replies.push([from, sequence]),
      refused: () => undefined,
    });
    onTestFinished(() => echo.close());
    echo.send(TARGET, 6, new Uint8Array(3), 5);
    echo.send(parseIpv6('2001:db8::1')!, 7, new Uint8Array(3), 5);
    await waitFor(() => replies.length === 1);
    expect(replies).toEqual([[parseIpv6('2001:db8::1'), 7]]);
    expect(readFileSync(asked, 'utf8')).toBe('-6 -n -c 1 -W 5 -t 5 -s 3 2001:db8::1 ');
  });

  it('tell of an error with the request that it is about', async () => {
    const errors: unknown[] = [];
    const echo = new PingCommandEcho(program(`cat <<.\n${error('Time to live exceeded')}.`), 4, {
      replied: () => undefined,
      refused: (sequence, { type, code, reporter, to, quote }) =>
        errors.push([sequence, type, code, reporter, to, quote.subarray(6)]),
    });
    onTestFinished(() => echo.close());
    echo.send(TARGET, 258, new Uint8Array([9]), 1);
    await waitFor(() => errors.length === 1);
    const to = { address: TARGET, port: 0 };
    expect(errors).toEqual([[258, 11, 0, new Uint8Array([10, 9, 1, 1]), to, new Uint8Array([1, 2, 9])]]);
  });

  it('are at most 16 at a time; more are lost, and their places come back', async () => {
    const folder = temporaryFolder();
    const gate = join(folder, 'gate');
    const replies: number[] = [];
    const script = `while [ ! -e ${gate} ]; do sleep 0.01; done\ncat <<.\n${IPUTILS_REPLY}.`;
    const echo = new PingCommandEcho(program(script), 4, {
      replied: (_from, sequence) => replies.push(sequence),
      refused: () => undefined,
    });
    onTestFinished(() => echo.close());
    for (let sequence = 0; sequence < 20; sequence++) echo.send(TARGET, sequence, new Uint8Array(4), 64);
    writeFileSync(gate, '');
    await waitFor(() => replies.length === 16);
    echo.send(TARGET, 99, new Uint8Array(4), 64);
    await waitFor(() => replies.includes(99));
    expect([...replies].sort((a, b) => a - b)).toEqual([...Array.from({ length: 16 }, (_, i) => i), 99]);
  });

  it('are lost where the program is not there', async () => {
    const replies: number[] = [];
    const events = { replied: () => void replies.push(1), refused: () => void replies.push(2) };
    const missing = new PingCommandEcho('/nowhere/ping', 4, events);
    for (let i = 0; i < 40; i++) missing.send(TARGET, i, new Uint8Array(4), 64);
    const echo = new PingCommandEcho(program(`cat <<.\n${BUSYBOX_REPLY}.`), 4, events);
    await waitFor(() => {
      echo.send(TARGET, 1, new Uint8Array(4), 64);
      return replies.length > 0;
    });
    expect(replies).not.toContain(2);
    echo.close();
    missing.close();
  });
});
