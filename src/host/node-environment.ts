import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import type { Environment } from '../lab/environment.ts';
import { EventFeed } from '../lab/event-feed.ts';
import { nodeRandom, nodeScheduler, nodeWallClock } from './clock.ts';
import { openDoor } from './doors.ts';
import { openFileSink } from './file-sink.ts';
import { openFolderTree } from './folder-tree.ts';
import { runtimeFolder } from './folders.ts';
import { FileResolvers } from './host-resolvers.ts';
import { openHttpDoor } from './http-door.ts';
import { NodeHostNet } from './node-host-net.ts';
import { QemuMachines } from './qemu-machines.ts';
import { readSeedText } from './seed-files.ts';
import { openSmbShare } from './smb-share.ts';
import { StartError } from './start-error.ts';
import { openStateFile } from './state-file.ts';

/** The real machine. A lab's documents and its machines' logs are kept in `stateFolder`, their sockets in `socketFolder`. */
export function nodeEnvironment(socketFolder: string, stateFolder: string, log: Log): Environment {
  const events = new EventFeed(nodeWallClock);
  return {
    scheduler: nodeScheduler,
    wallClock: nodeWallClock,
    random: nodeRandom,
    log: (entry) => {
      log(entry);
      events.log(entry);
    },
    events,
    net: new NodeHostNet(),
    resolvers: new FileResolvers(nodeScheduler),
    openDoor,
    socketPath: (lab, name) => join(runtimeFolder(lab), name),
    createFile: (path) => orStartError('cannot-write', `${path} cannot be written`, openFileSink(path)),
    openFolder: (path) => orStartError('no-folder', `${path} is not a readable folder`, openFolderTree(path)),
    readText: readSeedText,
    openHttp: openHttpDoor,
    openShare: openSmbShare,
    machines: new QemuMachines(socketFolder, stateFolder),
    openState: (name) => openStateFile(join(stateFolder, name)),
  };
}

async function orStartError<T>(code: string, message: string, opening: Promise<T> | T): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    throw new StartError(code, `${message} (${(error as Error).message})`);
  }
}
