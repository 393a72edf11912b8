import { expect, it } from 'vitest';
import { CaptureBuffer } from '../../src/capture/capture-buffer.ts';
import { PcapngWriter } from '../../src/capture/pcapng.ts';
import { A, hex } from '../support/frames.ts';

const TIME = 0x1876_5432_0fed_cba9n;

it('begins a section that names vmlan and leaves its length open', () => {
  expect(new PcapngWriter(65535).header()).toEqual(
    hex(`0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff
         0400 0500 766d6c616e 000000    # shb_userappl
         0000 0000 2c000000`),
  );
});

it('describes an interface: Ethernet, snap length, name, description, address, nanoseconds', () => {
  const [writer, out] = [new PcapngWriter(0x1234), new CaptureBuffer(256)];
  const description = { name: 'web:lan', description: 'lan', mac: A };
  writer.emitInterface(out, description);
  expect(out.length).toBe(writer.interfaceLength(description));
  expect(out.used).toEqual(
    hex(`01000000 40000000 0100 0000 34120000
         0200 0700 7765623a6c616e 00
         0300 0300 6c616e 00
         0600 0600 525400000001 0000
         0900 0100 09 000000
         0000 0000 40000000`),
  );
});

it('leaves out what is not known of an interface', () => {
  const [writer, out] = [new PcapngWriter(0), new CaptureBuffer(256)];
  writer.emitInterface(out, { name: 'vm1' });
  expect(out.used).toEqual(
    hex('01000000 28000000 0100 0000 00000000 0200 0300 766d31 00 0900 0100 09 000000 0000 0000 28000000'),
  );
});

it('writes a packet with its direction, and zeros where it is padded', () => {
  const [writer, out] = [new PcapngWriter(262144), new CaptureBuffer(256)];
  out.bytes.fill(0xee);
  writer.setTime(TIME);
  writer.emitPacket(out, 3, 'from-guest', hex('00 0102030405'), 1, 0x111, 5, 0);
  expect(out.used).toEqual(
    hex(`06000000 34000000 03000000 32547618 a9cbed0f 05000000 11010000 0102030405 000000
         0200 0400 01000000 0000 0000 34000000`),
  );
});

it('writes how many packets were lost before one', () => {
  const [writer, out] = [new PcapngWriter(262144), new CaptureBuffer(256)];
  writer.setTime(TIME);
  writer.emitPacket(out, 0, 'to-guest', hex('01020304'), 0, 4, 4, 0x1_0000_0002);
  expect(out.length).toBe(writer.packetLength(4));
  expect(out.used.subarray(28)).toEqual(
    hex('01020304 0200 0400 02000000 0400 0800 0200000001000000 0000 0000 3c000000'),
  );
});

it('ends with what was heard and lost', () => {
  const [writer, out] = [new PcapngWriter(262144), new CaptureBuffer(256)];
  writer.setTime(TIME);
  writer.emitStatistics(out, 1, 10, 4);
  expect(out.length).toBe(writer.statisticsLength);
  expect(out.used).toEqual(
    hex(`05000000 34000000 01000000 32547618 a9cbed0f
         0400 0800 0a00000000000000 0500 0800 0400000000000000 0000 0000 34000000`),
  );
});
