import { expect, it } from 'vitest';
import { CaptureBuffer } from '../../src/capture/capture-buffer.ts';
import { PcapWriter } from '../../src/capture/pcap.ts';
import { hex } from '../support/frames.ts';

it('begins with the magic of nanoseconds, version 2.4, the snap length and Ethernet', () => {
  expect(new PcapWriter(0x1234).header()).toEqual(hex('4d3cb2a1 0200 0400 00000000 00000000 34120000 01000000'));
});

it('writes packets without padding', () => {
  const [writer, out] = [new PcapWriter(262144), new CaptureBuffer(64)];
  writer.setTime(0x6955_b900n * 1_000_000_000n + 999_999_999n);
  writer.emitPacket(out, 0, 'from-guest', hex('00 0102030405'), 1, 0x111, 5);
  expect(out.used).toEqual(hex('00b95569 ffc99a3b 05000000 11010000 0102030405'));
});
