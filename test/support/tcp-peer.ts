import { finishChecksum, sumWords } from '../../src/base/checksum.ts';
import type { TcpConnection } from '../../src/stack/tcp-layer.ts';
import { PROTOCOL_TCP } from '../../src/wire/ipv4.ts';
import { writeUint16 } from '../../src/wire/octets.ts';
import {
  ACK,
  emitSack,
  emitSynOptions,
  emitTcpHeader,
  emitTimestamps,
  FIN,
  PSH,
  RST,
  SYN,
  TcpView,
} from '../../src/wire/tcp.ts';
import type { Family } from './families.ts';
import { IPV4, packetIn, pseudoHeader } from './families.ts';
import { Wire } from './stack-peer.ts';
import { Ear } from './tcp-link.ts';

/** A segment in words: `S`, `.`, `P.`, `F.`, `R`, `R.`, as tcpdump has them, and numbers relative to both sides' SYNs. */
export interface Heard {
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly payload: Uint8Array;
  readonly sack: readonly (readonly [number, number])[];
  readonly timestamp: number | undefined;
  readonly echo: number | undefined;
  readonly mss: number;
  readonly windowScale: number | undefined;
  readonly permitsSack: boolean;
  readonly port: number;
}

export interface Said {
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly payload?: Uint8Array;
  /** Relative to our SYN, as all acknowledgments. */
  readonly sack?: readonly (readonly [number, number])[];
  readonly timestamp?: number;
  readonly echo?: number;
  readonly syn?: SynOffer;
  readonly port?: number;
  readonly from?: number;
}

export interface SynOffer {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sack?: boolean;
  readonly timestamp?: number;
}

/** The initial sequence number of the peer: numbers wrap early in every test. */
const PEER_ISN = 0xffff_fff0;

/** A scripted TCP at the peer's address, port 1000, that talks to the stack under test, port 80. */
export class TcpPeer {
  readonly wire: Wire;
  readonly ear = new Ear();
  connection: TcpConnection | undefined;
  /** Initial sequence number of the stack, once it was heard. */
  isn = 0;
  peerPort = 1000;
  stackPort = 80;

  constructor(wire = new Wire()) {
    this.wire = wire;
    wire.introducePeer();
    wire.answersNeighbours = true;
  }

  /** Listens at port 80 and accepts whoever comes. */
  listen(): void {
    this.wire.stack.tcp.listen(80, (request) => {
      this.connection = request.accept(this.ear);
      this.ear.connection = this.connection;
    });
  }

  say(...segments: readonly Said[]): void {
    this.wire.deliver(...segments.map((segment) => this.frame(segment)));
  }

  frame({ flags = '.', seq = 1, ack = 1, window = 65_535, payload = new Uint8Array(0), ...more }: Said): Uint8Array {
    const bits = [...flags].reduce((sum, flag) => sum | BITS[flag]!, 0);
    const bytes = new Uint8Array(60 + payload.length);
    let at = 20;
    const { syn, sack, timestamp, echo = 0 } = more;
    if (syn !== undefined)
      at = emitSynOptions(bytes, at, {
        mss: syn.mss ?? 1460,
        windowScale: syn.windowScale,
        permitsSack: syn.sack ?? false,
        timestamps: syn.timestamp === undefined ? undefined : { value: syn.timestamp, echo },
      });
    if (timestamp !== undefined) at = emitTimestamps(bytes, at, timestamp, echo);
    if (sack !== undefined) {
      const ranges = Float64Array.from(sack.flat().map((number) => (number + this.isn) >>> 0));
      at = emitSack(bytes, at, ranges, sack.length);
    }
    const absoluteAck = (bits & ACK) === 0 ? 0 : (ack + this.isn) >>> 0;
    const from = more.from ?? this.peerPort;
    emitTcpHeader(
      bytes,
      0,
      from,
      more.port ?? this.stackPort,
      (seq + PEER_ISN) >>> 0,
      absoluteAck,
      bits,
      window,
      at - 20,
    );
    bytes.set(payload, at);
    const { family } = this.wire;
    return family.frame(sealed(bytes.subarray(0, at + payload.length), family), PROTOCOL_TCP);
  }

  /** What the stack said since the last time. */
  heard(): Heard[] {
    return this.wire
      .take()
      .map((frame) => this.#tell(frame))
      .filter((segment) => segment !== undefined);
  }

  /** The same, in short: flags, sequence number and length, acknowledgment. */
  told(): string[] {
    return this.heard().map(({ flags, seq, ack, payload }) => `${flags} ${seq}+${payload.length} ack ${ack}`);
  }

  #tell(frame: Uint8Array): Heard | undefined {
    const packet = packetIn(frame);
    const view = new TcpView();
    if (packet?.protocol !== PROTOCOL_TCP) return undefined;
    if (view.bind(frame, packet.payloadStart, packet.payloadEnd) !== undefined)
      throw new Error('the stack sent a broken segment');
    if (!view.isIntact(pseudoHeader(packet.source, packet.destination, PROTOCOL_TCP, view.length)))
      throw new Error('the stack sent a wrong checksum');
    view.readOptions();
    if ((view.flags & SYN) !== 0) this.isn = view.sequence;
    return {
      flags: Object.entries(BITS)
        .filter(([, bit]) => (view.flags & bit) !== 0)
        .map(([flag]) => flag)
        .join(''),
      seq: (view.sequence - this.isn) | 0,
      ack: (view.flags & ACK) === 0 ? 0 : (view.acknowledgment - PEER_ISN) | 0,
      window: view.window,
      payload: frame.slice(view.payloadStart, view.payloadEnd),
      sack: Array.from({ length: view.sackCount }, (_, i) => [
        (view.sackRanges[2 * i]! - PEER_ISN) | 0,
        (view.sackRanges[2 * i + 1]! - PEER_ISN) | 0,
      ]),
      timestamp: view.hasTimestamps ? view.timestamp : undefined,
      echo: view.hasTimestamps ? view.timestampEcho : undefined,
      mss: view.mss,
      windowScale: view.windowScale,
      permitsSack: view.permitsSack,
      port: view.sourcePort,
    };
  }
}

const BITS: Readonly<Record<string, number>> = { F: FIN, S: SYN, R: RST, P: PSH, '.': ACK };

/** Fills in the checksum of a segment from the peer to us. */
export function sealed(segment: Uint8Array, { peer, ours }: Family = IPV4): Uint8Array {
  segment[16] = segment[17] = 0;
  const sum = pseudoHeader(peer, ours, PROTOCOL_TCP, segment.length);
  writeUint16(segment, 16, finishChecksum(sumWords(segment, 0, segment.length, sum)));
  return segment;
}

/** A connection that the peer opened, at sequence number 1 on both sides, past its first quick acknowledgments. */
export function establishedConnection(syn: SynOffer = {}, wire = new Wire(), window = 65_535): TcpPeer {
  const peer = new TcpPeer(wire);
  peer.listen();
  peer.say({ flags: 'S', seq: 0, syn });
  peer.heard();
  peer.say({ window, ...(syn.timestamp !== undefined && { timestamp: syn.timestamp }) });
  peer.heard();
  return peer;
}

/** A connection that we opened, to the peer's port 1000. */
export function connectedConnection(syn: SynOffer = {}, wire = new Wire()): TcpPeer {
  const peer = connecting(wire);
  peer.heard();
  peer.say({ flags: 'S.', seq: 0, ack: 1, syn });
  peer.heard();
  return peer;
}

/** One whose SYN is on its way. */
export function connecting(wire = new Wire()): TcpPeer {
  const peer = new TcpPeer(wire);
  const { family, stack } = wire;
  peer.connection = stack.tcp.connect(
    { address: family.ours, port: 0 },
    { address: family.peer, port: 1000 },
    peer.ear,
  );
  peer.ear.connection = peer.connection;
  peer.stackPort = peer.connection.local.port;
  return peer;
}

/** The same over one family. */
export function tcpOver(family: Family) {
  const wire = (options: { mtu?: number; hasRoute?: boolean } = {}) => new Wire({ family, ...options });
  return {
    wire,
    newPeer: (on = wire()) => new TcpPeer(on),
    establishedConnection: (syn: SynOffer = {}, on = wire(), window = 65_535) => establishedConnection(syn, on, window),
    connectedConnection: (syn: SynOffer = {}) => connectedConnection(syn, wire()),
    connecting: () => connecting(wire()),
  };
}
