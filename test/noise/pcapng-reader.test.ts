import { expect, it } from 'vitest';
import { randomUint32, SeededRandom } from '../../src/base/chance.ts';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { A, B, frame } from '../support/frames.ts';
import { jackWithMachine, startRecording } from '../support/recording.ts';

const ROUNDS = 5000;

/** Reads to the end in pieces of random size; returns the octets of all packets. */
function readInPieces(file: Uint8Array, random: SeededRandom): number {
  const reader = new PcapngReader();
  let octets = 0;
  for (let at = 0; at < file.length; ) {
    const size = 1 + (randomUint32(random) % 300);
    for (const packet of reader.feed(file.subarray(at, at + size))) octets += packet.bytes.length;
    at += size;
  }
  return octets;
}

it('takes random octets without throwing', () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < ROUNDS; round++) {
    const noise = Uint8Array.from({ length: randomUint32(random) % 200 }, () => randomUint32(random));
    if (round % 2 === 0)
      noise.set([0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a].slice(0, noise.length));
    expect(readInPieces(noise, random)).toBe(0);
  }
});

it('takes recorded files with random octets changed, without throwing and without more packets than octets', async () => {
  const { sink, recorder } = await startRecording();
  const vm = jackWithMachine('web:lan', A);
  recorder.listen(vm.jack, 'both', 'network lan');
  vm.fromGuest(frame(B, A, 61), frame(B, A, 14));
  vm.toGuest(frame(A, B));
  await recorder.stop();
  const random = new SeededRandom(2);

  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const file = sink.bytes.slice(0, sink.bytes.length - (randomUint32(random) % 8));
    for (let changes = randomUint32(random) % 4; changes > 0; changes--) {
      file[randomUint32(random) % file.length] = randomUint32(random) & (round % 2 === 0 ? 0xff : 0x0f);
    }
    const octets = readInPieces(file, random);
    expect(octets).toBeLessThan(file.length);
    read += octets;
  }
  expect(read).toBeGreaterThan(ROUNDS);
});
