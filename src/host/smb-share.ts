/**
 * A folder of the host for guests, over SMB at a unix socket that only we can open; `smb-server.ts` serves its connections. So a share is
 * for a gateway what every `guestfwd` to a socket is.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import type { FolderShare } from '../lab/environment.ts';
import { listenStreams } from './host-streams.ts';
import { SmbServer } from './smb-server.ts';

/** Rejects with a `HostNetError` where the folder cannot be shared or there is no smbd. */
export async function openSmbShare(folder: string): Promise<FolderShare> {
  const server = await SmbServer.open(folder);
  const own = await mkdtemp(join(tmpdir(), 'vmlan-share-'));
  const path = join(own, 'smb.sock');
  const end = async () => {
    await server.close();
    await rm(own, { recursive: true, force: true });
  };
  try {
    const listener = await listenStreams({ kind: 'unix', path }, (client) => {
      const smbd = server.connect(passOn(() => smbd, client));
      client.resume();
      return passOn(() => client, smbd);
    });
    return { path, close: () => listener.close().then(end) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Octets that may wait for one side before the other is not read. */
const HIGH_WATER = 256 * 1024;

/** What the stream `from` gives is written to the other; each waits for the other. */
function passOn(from: () => HostStream, to: HostStream): HostStreamEvents {
  return {
    opened: () => undefined,
    failed: () => to.reset(),
    received: (bytes) => {
      to.write(bytes.slice());
      if (to.queued > HIGH_WATER) from().pause();
    },
    ended: () => to.finish(),
    drained: () => to.resume(),
    closed: (how) => (how === 'finished' ? undefined : to.reset()),
  };
}
