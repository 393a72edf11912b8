import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import type { CaptureFormat } from '../../src/capture/recorder.ts';

/** A packet as both formats know it. */
export interface RecordedPacket {
  readonly nanoseconds: bigint;
  readonly originalLength: number;
  readonly bytes: Uint8Array;
}

/** The packets of a whole file; throws where the file is not well formed or ends within a packet. */
export function packetsOf(format: CaptureFormat, file: Uint8Array): readonly RecordedPacket[] {
  return format === 'pcap' ? pcapPackets(file) : readPcapng(file).packets;
}

/** Reads a whole pcapng file; throws where it has a defect or ends within a block. */
export function readPcapng(file: Uint8Array) {
  const reader = new PcapngReader();
  const packets = reader.feed(file);
  if (reader.defect !== undefined) throw new Error(`pcapng: ${reader.defect}`);
  if (!reader.isAtBlockEnd) throw new Error('pcapng: ends within a block');
  return { packets, interfaces: reader.interfaces };
}

/** draft-ietf-opsawg-pcap, little-endian, nanoseconds. */
function pcapPackets(file: Uint8Array): readonly RecordedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== 0xa1b23c4d) throw new Error('pcap: not little-endian with nanoseconds');
  if (view.getUint16(4, true) !== 2 || view.getUint16(6, true) !== 4) throw new Error('pcap: version');
  if (view.getUint32(20, true) !== 1) throw new Error('pcap: link type');
  const packets: RecordedPacket[] = [];
  let at = 24;
  while (at < file.length) {
    const captured = view.getUint32(at + 8, true);
    if (at + 16 + captured > file.length) throw new Error('pcap: ends within a packet');
    packets.push({
      nanoseconds: BigInt(view.getUint32(at, true)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, true)),
      originalLength: view.getUint32(at + 12, true),
      bytes: file.slice(at + 16, at + 16 + captured),
    });
    at += 16 + captured;
  }
  return packets;
}
