/**
 * A folder of the host as an SMB share named `qemu`, served by Samba's smbd.
 *
 * smbd is started for each connection and serves what it finds as its standard input, which must be a TCP socket. So that nobody else on
 * the host finds the share, it is offered at a unix socket in a folder of our own; each connection there is joined with smbd by a TCP
 * connection from us to ourselves.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import type { FolderShare } from '../lab/environment.ts';
import { StartError } from './start-error.ts';

/** Rejects with a `StartError` where the folder cannot be read or there is no smbd. */
export async function openSmbShare(folder: string): Promise<FolderShare> {
  const smbd = await findSmbd();
  const shared = await readableFolder(folder);
  const own = await mkdtemp(join(tmpdir(), 'vmlan-smb-'));
  await writeFile(join(own, 'smb.conf'), configuration(own, shared));
  const joints = new Set<Joint>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const joint = new Joint(client, smbd, ['-l', own, '-s', join(own, 'smb.conf')], () => joints.delete(joint));
    joints.add(joint);
  });
  const path = join(own, 'smb.sock');
  await listen(server, path);
  return {
    path,
    close: async () => {
      server.close();
      for (const joint of joints) joint.end();
      await rm(own, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** One connection and its smbd. */
class Joint {
  readonly #client: Socket;
  readonly #onEnd: () => void;
  #inner: Socket | undefined;
  #smbd: ChildProcess | undefined;

  constructor(client: Socket, smbd: string, words: readonly string[], onEnd: () => void) {
    this.#client = client;
    this.#onEnd = onEnd;
    client.on('error', () => this.end()).once('close', () => this.end());
    this.#connect(smbd, words).catch(() => this.end());
  }

  end(): void {
    this.#client.destroy();
    this.#inner?.destroy();
    this.#smbd?.kill('SIGKILL');
    this.#onEnd();
  }

  async #connect(smbd: string, words: readonly string[]): Promise<void> {
    const [ours, its] = await tcpPair();
    this.#inner = ours.on('error', () => this.end());
    if (this.#client.destroyed) return this.end();
    this.#smbd = spawn(smbd, words, { stdio: [its, 'ignore', 'ignore'], detached: true }); // it ends its process group when it ends
    this.#smbd.once('error', () => this.end());
    its.destroy(); // the child has it
    this.#client.pipe(ours).pipe(this.#client);
    this.#client.resume();
  }
}

/** Two ends of a TCP connection within this process. */
async function tcpPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  await listen(server, 0);
  const ours = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    ours.once('error', (error) => {
      server.close();
      reject(error);
    });
    server.on('connection', async (its) => {
      if (ours.connecting) await new Promise((connected) => ours.once('connect', connected));
      if (its.remotePort !== ours.localPort) return void its.destroy(); // somebody else's
      server.close();
      resolve([ours, its]);
    });
  });
}

function listen(server: Server, at: string | 0): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' }, resolve);
  });
}

/** Distributions put it where only root looks for programs. */
const FOLDERS_OF_DAEMONS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/samba/sbin'];

async function findSmbd(): Promise<string> {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...FOLDERS_OF_DAEMONS,
  ];
  for (const folder of folders) {
    const path = join(folder, 'smbd');
    const isProgram = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isProgram) return path;
  }
  throw new StartError('no-smbd', 'smb= needs the program smbd, which is not here; install samba, or leave smb= out');
}

async function readableFolder(folder: string): Promise<string> {
  try {
    const path = await realpath(folder);
    await access(path, constants.R_OK | constants.X_OK);
    if ((await stat(path)).isDirectory()) return path;
  } catch {
    // said below
  }
  throw new StartError('no-folder', `smb=${folder} is not a readable folder; write the path of one`);
}

/** smb.conf(5): everybody is the user that runs us, and nothing is kept outside `own`. */
function configuration(own: string, shared: string): string {
  const places = ['private dir', 'lock directory', 'state directory', 'cache directory', 'pid directory'];
  return [
    '[global]',
    ...places.map((place) => `${place} = ${own}`),
    `ncalrpc dir = ${own}/ncalrpc`,
    `log file = ${own}/log.smbd`,
    `smb passwd file = ${own}/smbpasswd`,
    'security = user',
    'map to guest = Bad User',
    'load printers = no',
    'printing = bsd',
    'disable spoolss = yes',
    'usershare max shares = 0',
    '[qemu]',
    `path = ${shared}`,
    'read only = no',
    'guest ok = yes',
    `force user = ${userInfo().username}`,
    '',
  ].join('\n');
}
