import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { A, B, frame, hex } from '../support/frames.ts';
import { jackWithMachine, startRecording } from '../support/recording.ts';

const SECTION = '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c';
const INTERFACE = '00000001 00000014 0001 0000 00000000 00000014';

function read(...blocks: readonly string[]) {
  const reader = new PcapngReader();
  const packets = reader.feed(hex(blocks.join('')));
  return { reader, packets };
}

/** A big-endian interface with one more option. */
function interfaceWith(option: string): string {
  const length = (24 + hex(option).length).toString(16).padStart(8, '0');
  return `00000001 ${length} 0001 0000 00000000 ${option} 0000 0000 ${length}`;
}

/** A big-endian packet of four octets at `ticks`. */
function packetAt(ticks: bigint): string {
  const time = ticks.toString(16).padStart(16, '0');
  return `00000006 00000024 00000000 ${time} 00000004 00000009 01020304 00000024`;
}

async function recordedFile(): Promise<Uint8Array> {
  const { sink, recorder } = await startRecording();
  const vm = jackWithMachine('web:lan', A);
  recorder.listen(vm.jack, 'both');
  vm.fromGuest(frame(B, A, 61), frame(B, A, 1514));
  vm.toGuest(frame(A, B));
  await recorder.stop();
  return sink.bytes;
}

it('reads the same whatever pieces a file arrives in', async () => {
  const file = await recordedFile();
  const whole = new PcapngReader().feed(file);
  expect(whole).toHaveLength(3);
  for (const size of [1, 2, 3, 5, 7, 64, 1000]) {
    const reader = new PcapngReader();
    const packets = [];
    for (let at = 0; at < file.length; at += size) packets.push(...reader.feed(file.subarray(at, at + size)));
    expect(packets).toEqual(whole);
    expect(reader.interfaces).toMatchObject([{ name: 'web:lan', mac: A, heard: 3, lost: 0 }]);
  }
});

it('says whether a file ends with a whole block', async () => {
  const file = await recordedFile();
  const reader = new PcapngReader();
  reader.feed(file.subarray(0, file.length - 1));
  expect(reader.isAtBlockEnd).toBe(false);
  reader.feed(file.subarray(file.length - 1));
  expect(reader.isAtBlockEnd).toBe(true);
});

it('reads big-endian sections, with microseconds where no resolution is given', () => {
  const { packets, reader } = read(SECTION, INTERFACE, packetAt(1_767_225_600_000_001n));
  expect(reader.defect).toBeUndefined();
  expect(packets).toEqual([
    {
      interfaceName: '',
      direction: undefined,
      nanoseconds: 1_767_225_600_000_001_000n,
      originalLength: 9,
      bytes: hex('01020304'),
      lostBefore: 0,
    },
  ]);
});

it.each([
  ['seconds', '0009 0001 00 000000', 2n, 2_000_000_000n],
  ['nanoseconds', '0009 0001 09 000000', 2n, 2n],
  ['picoseconds', '0009 0001 0c 000000', 2_999n, 2n],
  ['quarters of a second', '0009 0001 82 000000', 3n, 750_000_000n],
  ['an offset of one second before', '000e 0008 ffffffffffffffff', 3_000_000n, 2_000_000_000n],
])('reads a clock of %s', (_name, option, ticks, nanoseconds) => {
  expect(read(SECTION, interfaceWith(option), packetAt(ticks)).packets[0]!.nanoseconds).toBe(nanoseconds);
});

it('passes over blocks of other kinds and forgets the interfaces of the section before', () => {
  const unknown = '00000bad 00000010 00000000 00000010';
  const { packets, reader } = read(SECTION, unknown, INTERFACE, packetAt(1n), SECTION, INTERFACE, INTERFACE);
  expect(packets).toHaveLength(1);
  expect(reader.interfaces).toHaveLength(2);
});

describe('a file that is wrong', () => {
  it.each([
    ['does not begin with a section', INTERFACE, 'bad-value'],
    ['has no known byte order', '0a0d0d0a 0000001c 11223344 0001 0000 ffffffffffffffff 0000001c', 'bad-value'],
    ['has another version', '0a0d0d0a 0000001c 1a2b3c4d 0002 0000 ffffffffffffffff 0000001c', 'bad-version'],
    ['has a section header without a body', '0a0d0d0a 00000010 1a2b3c4d 00000010', 'bad-length'],
    ['has a block of no length', `${SECTION} 00000001 00000000 00000000`, 'bad-length'],
    ['has a block of an odd length', `${SECTION} 00000001 00000015 00000000`, 'bad-length'],
    ['has a block of a gigabyte', `${SECTION} 00000006 40000000 00000000`, 'bad-length'],
    ['has a block whose lengths differ', `${SECTION} 00000bad 00000010 00000000 00000014`, 'bad-length'],
    ['has a packet of an unknown interface', `${SECTION} ${packetAt(0n)}`, 'bad-value'],
    [
      'has statistics of an unknown interface',
      `${SECTION} 00000005 00000018 00000001 0000000000000000 00000018`,
      'bad-value',
    ],
    ['has an option that is longer than its block', `${SECTION} ${interfaceWith('0002 0009 00000000')}`, 'bad-length'],
    [
      'has a packet that is longer than its block',
      `${SECTION} ${INTERFACE} 00000006 00000020 00000000 0000000000000000 ffffffff 00000009 00000020`,
      'bad-length',
    ],
  ])('%s', (_name, octets, defect) => {
    expect(read(octets).reader.defect).toBe(defect);
  });

  it('yields the packets before the defect and none after it', () => {
    const { reader, packets } = read(SECTION, INTERFACE, packetAt(1n), '00000001 00000000 00000000');
    expect(packets).toHaveLength(1);
    expect(reader.feed(hex(packetAt(2n)))).toEqual([]);
    expect(reader.defect).toBe('bad-length');
  });
});
