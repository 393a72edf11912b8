/** What a running lab needs from the outside. `host/` offers it on the real machine, tests in memory. */
import type { Random } from '../base/chance.ts';
import type { ByteSink, FileTree, StateFile } from '../base/files.ts';
import type { HostNet } from '../base/host-net.ts';
import type { Log } from '../base/log.ts';
import type { HostResolvers } from '../base/resolvers.ts';
import type { SocketAddress } from '../base/socket-address.ts';
import type { Scheduler, WallClock } from '../base/time.ts';
import type { Arrival, Door, DoorMode } from '../link/arrival.ts';
import type { OpenHttpDoor } from '../service/http/http-door.ts';
import type { EventFeed } from './event-feed.ts';
import type { MachineHost } from './machine-host.ts';

export interface Environment {
  readonly scheduler: Scheduler;
  readonly wallClock: WallClock;
  readonly random: Random;
  /** Tells `events`, too. */
  readonly log: Log;
  readonly events: EventFeed;
  readonly net: HostNet;
  readonly resolvers: HostResolvers;
  /**
   * Opens a door for machines; rejects where the address cannot be used. `onTrouble` is told the system's code when a connecting
   * door cannot connect for a reason it did not have before.
   */
  openDoor(
    mode: DoorMode,
    address: SocketAddress,
    onArrival: (arrival: Arrival) => void,
    onTrouble: (code: string) => void,
  ): Promise<Door>;
  /** Where a unix socket of a lab may lie. */
  socketPath(lab: string, name: string): string;
  /** Starts a file anew; rejects where it cannot be written. */
  createFile(path: string): Promise<ByteSink>;
  /** A text file of the host; rejects where it cannot be read. */
  readText(path: string): Promise<string>;
  readonly openHttp: OpenHttpDoor;
  /** A folder for TFTP; rejects where it is not one. */
  openFolder(path: string): Promise<FileTree>;
  /** Shares a folder over SMB; rejects where it is not one or the machine cannot. */
  openShare(folder: string): Promise<FolderShare>;
  readonly machines: MachineHost;
  /** A document of the lab that survives it, such as `lan.leases`. */
  openState(name: string): StateFile;
}

/** A folder that is served to whoever connects. */
export interface FolderShare {
  /** The unix socket that speaks SMB. */
  readonly path: string;
  /** Ends all connections and removes what was made for the share. */
  close(): Promise<void>;
}
