import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { FileTree } from '../../src/base/files.ts';
import type { LogEntry } from '../../src/base/log.ts';
import { TftpServer } from '../../src/service/tftp/server.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { UdpSocket } from '../../src/stack/udp-layer.ts';
import type { TftpPacket } from '../../src/wire/tftp.ts';
import { emitTftp, parseTftp, TFTP_PORT } from '../../src/wire/tftp.ts';
import { A, B } from './frames.ts';
import { ip6 } from './ipv6-peer.ts';
import { ManualScheduler, settle } from './manual-scheduler.ts';
import { ip, octets } from './stack-peer.ts';

/** A TFTP server and a reader whose every packet the test writes, on one wire. */
export class TftpBench {
  readonly scheduler = new ManualScheduler();
  readonly counters = new Counters();
  readonly entries: LogEntry[] = [];
  readonly server: TftpServer;
  readonly #near = new Stack({ mac: A, mtu: 1500, scheduler: this.scheduler, random: new SeededRandom(1) });
  readonly #far = new Stack({ mac: B, mtu: 1500, scheduler: this.scheduler, random: new SeededRandom(2) });

  constructor(files: FileTree) {
    const at6 = (text: string) => ({ interface: { address: ip6(text), prefixLength: 64 } });
    this.#near.configure({ interface: { address: ip('10.0.0.1'), prefixLength: 24 }, ipv6: at6('fd00::1') });
    this.#far.configure({ interface: { address: ip('10.0.0.2'), prefixLength: 24 }, ipv6: at6('fd00::2') });
    this.#near.attach(this.#far);
    this.#far.attach(this.#near);
    const { scheduler, counters } = this;
    this.server = new TftpServer(files, 1500, { scheduler, counters, log: (entry) => void this.entries.push(entry) });
    this.server.start(this.#near);
  }

  reader(port = 0): Reader {
    return new Reader((onDatagram) => this.#far.udp.open(port, onDatagram), octets('10.0.0.1'));
  }

  /** One that finds the server by IPv6. */
  reader6(): Reader {
    return new Reader((onDatagram) => this.#far.udp.open(0, onDatagram), ip6('fd00::1'));
  }

  /** Somebody else on the server's stack has every dynamic port. */
  takePorts(): void {
    for (let port = 49_152; port < 65_536; port++) this.#near.udp.open(port, () => undefined);
  }

  get events(): string[] {
    return this.entries.map(({ event }) => event);
  }
}

export class Reader {
  readonly #socket: UdpSocket;
  readonly #server: Uint8Array;
  #heard: TftpPacket[] = [];
  /** Where the server's half of the transfer is. */
  #peer = TFTP_PORT;

  constructor(open: (onDatagram: Parameters<Stack['udp']['open']>[1]) => UdpSocket, server: Uint8Array) {
    this.#server = server;
    this.#socket = open(({ from, payload }) => {
      const packet = parseTftp(payload.slice(), 0, payload.length);
      if (typeof packet === 'string') throw new Error(`the server wrote a packet that is ${packet}`);
      if (packet.kind !== 'error') this.#peer = from.port;
      this.#heard.push(packet);
    });
  }

  get peer(): number {
    return this.#peer;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(packet: TftpPacket, port = this.#peer): void {
    const out = new Uint8Array(600);
    this.sendOctets(out.subarray(0, emitTftp(packet, out, 0)), port);
  }

  sendOctets(payload: Uint8Array, port = this.#peer): void {
    this.#socket.send({ address: this.#server, port }, payload);
  }

  /** Asks for a file and lets it be opened. */
  async ask(file: string, options: Readonly<Record<string, string>> = {}, mode = 'octet'): Promise<string[]> {
    this.send({ kind: 'read-request', file, mode, options: new Map(Object.entries(options)) }, TFTP_PORT);
    return this.heard();
  }

  /** Acknowledges a block; what the server says to that. */
  async ack(block: number): Promise<string[]> {
    this.send({ kind: 'ack', block });
    return this.heard();
  }

  /** What the server said since the last call, in words. */
  async heard(): Promise<string[]> {
    return (await this.packets()).map(tell);
  }

  async packets(): Promise<TftpPacket[]> {
    await settle();
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }
}

function tell(packet: TftpPacket): string {
  switch (packet.kind) {
    case 'data':
      return `data ${packet.block} (${packet.payload.length})`;
    case 'option-ack':
      return ['oack', ...[...packet.options].map(([name, value]) => `${name}=${value}`)].join(' ');
    case 'error':
      return `error ${packet.code}`;
    default:
      return packet.kind;
  }
}
