import { describe, expect, it } from 'vitest';
import { TRANSFER_LIMIT } from '../../../src/service/tftp/server.ts';
import { TFTP_PORT } from '../../../src/wire/tftp.ts';
import { hex } from '../../support/frames.ts';
import { MemoryTree } from '../../support/memory-files.ts';
import { pattern } from '../../support/stack-peer.ts';
import { TftpBench } from '../../support/tftp-peer.ts';

const tree = () =>
  new MemoryTree({
    small: 'hello',
    exact: pattern(1024),
    big: pattern(10_000),
    text: 'a\nb\rc',
    empty: '',
    huge: pattern(600_000),
  });

describe('RFC 1350: one block at a time', () => {
  it('a short file is one block', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    expect(await reader.ask('small')).toEqual(['data 1 (5)']);
    expect(await reader.ack(1)).toEqual([]);
    expect(bench.events).toEqual(['tftp-read', 'tftp-done']);
    expect(bench.server.transfers).toBe(0);
  });

  it('a file of whole blocks ends with an empty one', async () => {
    const reader = new TftpBench(tree()).reader();
    expect(await reader.ask('exact')).toEqual(['data 1 (512)']);
    expect(await reader.ack(1)).toEqual(['data 2 (512)']);
    expect(await reader.ack(2)).toEqual(['data 3 (0)']);
  });

  it('an empty file is an empty block', async () => {
    expect(await new TftpBench(tree()).reader().ask('empty')).toEqual(['data 1 (0)']);
  });

  it('each transfer has a port of its own, and the file is closed at its end', async () => {
    const files = tree();
    const bench = new TftpBench(files);
    const [one, two] = [bench.reader(), bench.reader()];
    await one.ask('small');
    await two.ask('small');
    expect(one.peer).not.toBe(TFTP_PORT);
    expect(two.peer).not.toBe(one.peer);
    expect(files.openFiles).toBe(2);
    await one.ack(1);
    await two.ack(1);
    expect(files.openFiles).toBe(0);
  });

  it('netascii: lines end with CR LF, a CR is CR NUL, and the size is not told', async () => {
    const reader = new TftpBench(tree()).reader();
    expect(await reader.ask('text', { tsize: '0', blksize: '512' }, 'NetASCII')).toEqual(['oack blksize=512']);
    reader.send({ kind: 'ack', block: 0 });
    const [data] = await reader.packets();
    expect(data).toMatchObject({ payload: hex('61 0d 0a 62 0d 00 63') });
  });

  it.each([
    ['a missing file', 'nothing', 'octet', 'error 1'],
    ['mail', 'small', 'mail', 'error 4'],
  ])('%s is refused', async (_what, file, mode, error) => {
    const bench = new TftpBench(tree());
    expect(await bench.reader().ask(file, {}, mode)).toEqual([error]);
    expect(bench.server.transfers).toBe(0);
  });

  it('writing is refused', async () => {
    const reader = new TftpBench(tree()).reader();
    reader.send({ kind: 'write-request', file: 'small', mode: 'octet', options: new Map() });
    expect(await reader.heard()).toEqual(['error 2']);
  });

  it('a file that cannot be read further ends the transfer with an error', async () => {
    const files = tree();
    const bench = new TftpBench(files);
    files.isBroken = true;
    expect(await bench.reader().ask('big')).toEqual(['error 0']);
    expect(files.openFiles).toBe(0);
    expect(bench.events.at(-1)).toBe('tftp-error');
  });
});

describe('RFC 2347: options', () => {
  it.each([
    ['RFC 2348: a block size', { blksize: '1024' }, 'oack blksize=1024'],
    ['a block size above the MTU is lowered to it', { blksize: '9000' }, 'oack blksize=1468'],
    ['RFC 2349: the size of the file', { tsize: '0' }, 'oack tsize=10000'],
    ['RFC 2349: a timeout', { timeout: '3' }, 'oack timeout=3'],
    ['RFC 7440: a window', { windowsize: '16' }, 'oack windowsize=16'],
    ['a window that is too wide is narrowed', { windowsize: '65535' }, 'oack windowsize=64'],
    ['what is not known is left out', { multicast: '', tsize: '0' }, 'oack tsize=10000'],
  ])('%s', async (_what, options: Record<string, string>, oack) => {
    expect(await new TftpBench(tree()).reader().ask('big', options)).toEqual([oack]);
  });

  it.each([
    ['a block size below 8', { blksize: '7' }],
    ['a timeout of 0', { timeout: '0' }],
    ['a number that is none', { blksize: '1e3' }],
  ])('%s is ignored', async (_what, options: Record<string, string>) => {
    expect(await new TftpBench(tree()).reader().ask('small', options)).toEqual(['data 1 (5)']);
  });

  it('ACK 0 starts the data', async () => {
    const reader = new TftpBench(tree()).reader();
    await reader.ask('big', { blksize: '1024' });
    expect(await reader.ack(0)).toEqual(['data 1 (1024)']);
  });

  it('a reader that does not like the answer ends the transfer', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    await reader.ask('big', { tsize: '0' });
    reader.send({ kind: 'error', code: 8, message: 'no' });
    expect(await reader.heard()).toEqual([]);
    expect(bench.server.transfers).toBe(0);
  });
});

describe('what is lost', () => {
  it('is sent again after a second, five times in all', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    await reader.ask('big');
    bench.scheduler.advance(999);
    expect(await reader.heard()).toEqual([]);
    bench.scheduler.advance(1);
    expect(await reader.heard()).toEqual(['data 1 (512)']);
    bench.scheduler.advance(60_000);
    expect(await reader.heard()).toHaveLength(3);
    expect(bench.server.transfers).toBe(0);
    expect(bench.counters.get('tftp-timeout')).toBe(1);
  });

  it('is sent again after the timeout that the reader asked for', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    await reader.ask('big', { timeout: '3' });
    bench.scheduler.advance(2999);
    expect(await reader.heard()).toEqual([]);
    bench.scheduler.advance(1);
    expect(await reader.heard()).toEqual(['oack timeout=3']);
  });

  it('RFC 1123, 4.2.3.1: a repeated ACK is not answered (the Sorcerer’s Apprentice)', async () => {
    const reader = new TftpBench(tree()).reader();
    await reader.ask('big');
    expect(await reader.ack(1)).toEqual(['data 2 (512)']);
    expect(await reader.ack(1)).toEqual([]);
  });

  it('an ACK for what was not sent is ignored', async () => {
    const reader = new TftpBench(tree()).reader();
    await reader.ask('big');
    expect(await reader.ack(2)).toEqual([]);
    expect(await reader.ack(1)).toEqual(['data 2 (512)']);
  });
});

describe('RFC 7440: windows', () => {
  async function windowed(window: string) {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    await reader.ask('big', { windowsize: window });
    return { bench, reader };
  }
  const blocks = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => `data ${first + i} (512)`);

  it('a window is sent at once, the next one after its ACK', async () => {
    const { reader } = await windowed('4');
    expect(await reader.ack(0)).toEqual(blocks(1, 4));
    expect(await reader.ack(4)).toEqual(blocks(5, 8));
  });

  it('an ACK inside the window resumes behind it', async () => {
    const { reader } = await windowed('4');
    await reader.ack(0);
    expect(await reader.ack(2)).toEqual(blocks(3, 6));
  });

  it('an ACK of everything before the window repeats it, once', async () => {
    const { reader } = await windowed('4');
    await reader.ack(0);
    await reader.ack(4);
    expect(await reader.ack(4)).toEqual(blocks(5, 8));
    expect(await reader.ack(4)).toEqual([]);
  });

  it('a timeout repeats the window', async () => {
    const { bench, reader } = await windowed('4');
    await reader.ack(0);
    bench.scheduler.advance(1000);
    expect(await reader.heard()).toEqual(blocks(1, 4));
  });
});

it('block numbers go on with 0 after 65535', async () => {
  const bench = new TftpBench(new MemoryTree({ long: pattern(8 * 65_540) }));
  const reader = bench.reader();
  await reader.ask('long', { blksize: '8', windowsize: '64' });
  let next = await reader.ack(0);
  for (let last = 64; last < 65_536; last += 64) next = await reader.ack(last);
  expect(next.at(-1)).toBe('data 0 (8)');
  expect(await reader.ack(0)).toEqual(['data 1 (8)', 'data 2 (8)', 'data 3 (8)', 'data 4 (8)', 'data 5 (0)']);
});

describe('transfer identifiers, RFC 1350, 4', () => {
  it('a stranger is told, and the transfer goes on', async () => {
    const bench = new TftpBench(tree());
    const [reader, stranger] = [bench.reader(), bench.reader()];
    await reader.ask('big');
    stranger.send({ kind: 'ack', block: 1 }, reader.peer);
    expect(await stranger.heard()).toEqual(['error 5']);
    expect(await reader.heard()).toEqual([]);
    expect(await reader.ack(1)).toEqual(['data 2 (512)']);
  });

  it('a stranger’s error is not answered and ends nothing', async () => {
    const bench = new TftpBench(tree());
    const [reader, stranger] = [bench.reader(), bench.reader()];
    await reader.ask('big');
    stranger.send({ kind: 'error', code: 0, message: '' }, reader.peer);
    expect(await stranger.heard()).toEqual([]);
    expect(await reader.ack(1)).toEqual(['data 2 (512)']);
  });

  it('a request that is repeated while its transfer begins does not start another', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    const request = { kind: 'read-request', file: 'big', mode: 'octet', options: new Map() } as const;
    reader.send(request, TFTP_PORT);
    reader.send(request, TFTP_PORT);
    expect(await reader.heard()).toEqual(['data 1 (512)']);
    expect(await reader.ask('big')).toEqual([]);
    expect(bench.counters.get('tftp-repeated-request')).toBe(2);
  });

  it('a reader that starts anew from the same port gets a new transfer', async () => {
    const files = tree();
    const bench = new TftpBench(files);
    const reader = bench.reader();
    await reader.ask('big');
    await reader.ack(1);
    expect(await reader.ask('big')).toEqual(['data 1 (512)']);
    expect(await reader.ask('small')).toEqual(['data 1 (5)']);
    expect(bench.server.transfers).toBe(1);
    expect(files.openFiles).toBe(1);
  });
});

describe('limits', () => {
  it('transfers beyond the limit are refused, and their number goes down again', async () => {
    const bench = new TftpBench(tree());
    const readers = Array.from({ length: TRANSFER_LIMIT }, () => bench.reader());
    for (const reader of readers) {
      await reader.ask('huge');
      await reader.ack(1);
    }
    expect(await bench.reader().ask('small')).toEqual(['error 0']);
    readers[0]!.sendOctets(hex('00 05 00 00 00'));
    expect(await bench.reader().ask('small')).toEqual(['data 1 (5)']);
  });

  it('readers that never answer make room for others', async () => {
    const bench = new TftpBench(tree());
    for (let i = 0; i < TRANSFER_LIMIT; i++) await bench.reader().ask('small', { timeout: '30' });
    expect(await bench.reader().ask('small')).toEqual(['data 1 (5)']);
    expect(bench.server.transfers).toBe(TRANSFER_LIMIT);
  });

  it('a window holds no more than 128 KiB', async () => {
    const reader = new TftpBench(tree()).reader();
    expect(await reader.ask('huge', { blksize: '1468', windowsize: '65535' })).toEqual([
      'oack blksize=1468 windowsize=64',
    ]);
    expect(await reader.ack(0)).toHaveLength(64);
  });

  it.each([
    ['a packet that is none', hex('00 09'), 'tftp-malformed'],
    ['an ACK at the well-known port', hex('00 04 00 01'), 'tftp-unexpected'],
  ])('%s is counted and not answered', async (_what, octets, counter) => {
    const bench = new TftpBench(tree());
    const reader = bench.reader();
    reader.sendOctets(octets, TFTP_PORT);
    expect(await reader.heard()).toEqual([]);
    expect(bench.counters.get(counter)).toBe(1);
  });
});

it('stop ends the transfers and closes their files', async () => {
  const files = tree();
  const bench = new TftpBench(files);
  const reader = bench.reader();
  await reader.ask('big');
  bench.server.stop();
  bench.scheduler.advance(10_000);
  expect(await reader.heard()).toEqual([]);
  expect(files.openFiles).toBe(0);
});

it('a reader is refused where no port is free for its transfer, and the file is closed', async () => {
  const files = tree();
  const bench = new TftpBench(files);
  bench.takePorts();
  expect(await bench.reader().ask('small')).toEqual(['error 0']);
  expect(bench.counters.get('tftp-busy')).toBe(1);
  expect(bench.server.transfers).toBe(0);
  expect(files.openFiles).toBe(0);
});

describe('by IPv6', () => {
  it('a file is read in blocks that fit into a packet', async () => {
    const bench = new TftpBench(tree());
    const reader = bench.reader6();
    expect(await reader.ask('exact', { blksize: '1468' })).toEqual(['oack blksize=1448']);
    expect(await reader.ack(0)).toEqual(['data 1 (1024)']);
    await reader.ack(1);
    expect(bench.entries.at(-1)).toMatchObject({ event: 'tftp-done', to: `[fd00::2]:${reader.port}` });
  });

  it('a missing file is refused', async () => {
    expect(await new TftpBench(tree()).reader6().ask('nothing')).toEqual(['error 1']);
  });
});
