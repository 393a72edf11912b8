import { SeededRandom } from '../../src/base/chance.ts';
import type { ByteSink, FileTree, StateFile } from '../../src/base/files.ts';
import type { LogEntry } from '../../src/base/log.ts';
import type { SocketAddress } from '../../src/base/socket-address.ts';
import { formatSocketAddress } from '../../src/base/socket-address.ts';
import { openHttpDoor } from '../../src/host/http-door.ts';
import type { Environment, FolderShare } from '../../src/lab/environment.ts';
import { EventFeed } from '../../src/lab/event-feed.ts';
import type { Arrival, Door, DoorMode, LeaveReason } from '../../src/link/arrival.ts';
import type { Port } from '../../src/link/port.ts';
import { ManualScheduler } from './manual-scheduler.ts';
import { MemoryHostNet } from './memory-host-net.ts';
import { MemoryMachines } from './memory-machines.ts';
import { MemoryResolvers } from './memory-resolvers.ts';

/** An outside that is all in memory: a clock that the test turns, files and documents in maps, doors that the test walks through. */
export class MemoryEnvironment implements Environment {
  readonly scheduler = new ManualScheduler();
  readonly wallClock = this.scheduler;
  readonly random = new SeededRandom(1);
  readonly net = new MemoryHostNet();
  readonly resolvers = new MemoryResolvers();
  readonly machines: MemoryMachines;
  readonly files = new Map<string, MemoryFile>();
  /** Documents, like machines, outlive a lab: give them to the next environment. */
  readonly documents: Map<string, string>;
  readonly entries: LogEntry[] = [];
  readonly #doors = new Map<string, (arrival: Arrival) => void>();

  constructor(documents = new Map<string, string>(), machines = new MemoryMachines()) {
    this.documents = documents;
    this.machines = machines;
  }

  readonly log = (entry: LogEntry): void => {
    this.entries.push(entry);
    this.events.log(entry);
  };

  readonly events = new EventFeed(this.scheduler);

  get eventNames(): readonly string[] {
    return this.entries.map(({ event }) => event);
  }

  async openDoor(mode: DoorMode, address: SocketAddress, onArrival: (arrival: Arrival) => void): Promise<Door> {
    const where = formatSocketAddress(address);
    if (where.includes('taken')) throw new Error(`${where} is taken`);
    this.#doors.set(where, onArrival);
    return { mode, address, close: async () => void this.#doors.delete(where) };
  }

  socketPath(lab: string, name: string): string {
    return `/run/${lab}/${name}`;
  }

  get openDoors(): readonly string[] {
    return [...this.#doors.keys()];
  }

  async createFile(path: string): Promise<ByteSink> {
    const file = new MemoryFile();
    this.files.set(path, file);
    return file;
  }

  /** Folders that are shared over SMB. */
  readonly shares = new Set<string>();

  readonly openHttp = openHttpDoor;

  /** Texts that can be read, by path. */
  readonly texts = new Map<string, string>();

  readonly readText = async (path: string): Promise<string> => {
    const text = this.texts.get(path);
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  };

  async openFolder(): Promise<FileTree> {
    return { open: async () => undefined };
  }

  async openShare(folder: string): Promise<FolderShare> {
    this.shares.add(folder);
    return { path: `/shares${folder}`, close: async () => void this.shares.delete(folder) };
  }

  openState(name: string): StateFile {
    return {
      load: async () => this.documents.get(name),
      save: async (text) => void this.documents.set(name, text),
      setAside: async () => void this.documents.delete(name),
    };
  }

  /** A machine comes to a door; what is returned lets it leave again. */
  arrive(where: string, machine: Port): Visit {
    const visit = new Visit(machine);
    this.#doors.get(where)!(visit);
    return visit;
  }
}

export class Visit implements Arrival {
  readonly peer = 'test';
  isRefused = false;
  readonly #machine: Port;
  #onLeave: ((why: LeaveReason) => void) | undefined;

  constructor(machine: Port) {
    this.#machine = machine;
  }

  accept(_drops: unknown, onLeave: (why: LeaveReason) => void): Port {
    this.#onLeave = onLeave;
    return this.#machine;
  }

  refuse(): void {
    this.isRefused = true;
  }

  leave(why: LeaveReason = { kind: 'hung-up' }): void {
    this.#onLeave?.(why);
  }
}

/** Keeps what is written. */
export class MemoryFile implements ByteSink {
  readonly #pieces: Uint8Array[] = [];
  isClosed = false;

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes.slice());
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}
