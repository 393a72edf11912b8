import type { Direction } from '../link/probe.ts';
import type { Mac } from '../wire/mac.ts';
import type { CaptureBuffer } from './capture-buffer.ts';

/** `LINKTYPE_ETHERNET`: frames from the destination address on, without frame check sequence. */
export const LINKTYPE_ETHERNET = 1;

/** The snap length of a capture that cuts nothing: no frame is longer (tcpdump writes the same). */
export const WHOLE_FRAMES = 262_144;

/** What a capture says about the place where it listened. */
export interface InterfaceDescription {
  readonly name: string;
  readonly description?: string | undefined;
  readonly mac?: Mac | undefined;
}

/**
 * A file format: how the parts of a capture become octets. `emit…` puts one whole part behind what is in the buffer already;
 * the caller has made sure of the room that `…Length` asks for.
 */
export interface CaptureWriter {
  /** What the file begins with. */
  header(): Uint8Array;
  /** Packets that follow were heard at this time, nanoseconds since 1970-01-01 UTC. */
  setTime(nanoseconds: bigint): void;

  interfaceLength(description: InterfaceDescription): number;
  /** Interfaces are numbered from 0 in the order of these calls. */
  emitInterface(out: CaptureBuffer, description: InterfaceDescription): void;

  /** The most that a packet takes of which `captured` octets are kept. */
  packetLength(captured: number): number;
  /**
   * A frame of `length` octets at `bytes[start..]`, of which `captured` are kept; `lost` frames of this interface were not
   * recorded since the one before.
   */
  emitPacket(
    out: CaptureBuffer,
    interfaceNumber: number,
    direction: Direction,
    bytes: Uint8Array,
    start: number,
    length: number,
    captured: number,
    lost: number,
  ): void;

  readonly statisticsLength: number;
  /** The interface's totals at the capture's end: frames heard and, of these, frames lost. */
  emitStatistics(out: CaptureBuffer, interfaceNumber: number, heard: number, lost: number): void;
}
