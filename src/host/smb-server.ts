/**
 * A folder for guests by Samba's `smbd`, one process for each connection, as inetd would start it. smbd wants an Internet socket as
 * its standard input, so each connection goes over a pair on loopback. Whoever else on this machine connects there is turned away:
 * only the ports that our own ends have are served.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import { HostNetError } from '../base/host-net.ts';
import { findProgram } from './find-program.ts';
import { onreadInto, SocketStream } from './socket-stream.ts';

const LOOPBACK = '127.0.0.1';

export class SmbServer {
  readonly #program: string;
  /** smbd's configuration and everything it writes; removed at the end. */
  readonly #state: string;
  readonly #server: Server;
  readonly #children = new Set<ChildProcess>();
  /** Our own ends that have not connected yet. */
  #connecting = 0;
  /** Ports of our own ends whose far ends have not come yet. */
  readonly #expected = new Set<number>();
  /** Far ends that came before their near ends were known, by port. */
  readonly #early = new Map<number, Socket>();

  /** Offers a folder as `qemu`; rejects with a `HostNetError` where that cannot be. `program` is where smbd is. */
  static async open(folder: string, program = findSmbd()): Promise<SmbServer> {
    const path = checkedFolder(folder);
    if (program === undefined) {
      throw new HostNetError(
        'cannot-listen',
        `there is no smbd to share ${path} with; install Samba (Debian: apt install samba)`,
      );
    }
    const state = mkdtempSync(join(tmpdir(), 'vmlan-smb-'));
    writeFileSync(join(state, 'smb.conf'), configurationOf(path, state), { mode: 0o600 });
    const server = createServer({ pauseOnConnect: true });
    server.listen({ host: LOOPBACK, port: 0 });
    await once(server, 'listening');
    return new SmbServer(program, state, server);
  }

  private constructor(program: string, state: string, server: Server) {
    this.#program = program;
    this.#state = state;
    this.#server = server;
    server.on('connection', (far) => this.#arrived(far));
    server.on('error', () => undefined); // without descriptors clients are turned away
  }

  /** Begins a connection to a process of its own. */
  connect(events: HostStreamEvents): HostStream {
    const { port } = this.#server.address() as AddressInfo;
    this.#connecting++;
    const stream: SocketStream = new SocketStream((onBytes) => {
      const onread = onreadInto(onBytes);
      const near = connect({ host: LOOPBACK, port, allowHalfOpen: true, noDelay: true, onread });
      const settled = () => {
        near.off('connect', settled).off('close', settled);
        this.#connected(near.localPort);
        stream.open();
      };
      return near.once('connect', settled).once('close', settled);
    });
    stream.tell(events);
    return stream;
  }

  /** Ends every process and removes what they wrote; the folder stays. */
  async close(): Promise<void> {
    this.#server.close();
    for (const far of this.#early.values()) far.destroy();
    const ends = [...this.#children].map((child) => once(child, 'exit'));
    for (const { pid } of this.#children) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await Promise.all(ends);
    rmSync(this.#state, { recursive: true, force: true });
  }

  #connected(port: number | undefined): void {
    this.#connecting--;
    const far = this.#early.get(port ?? 0);
    this.#early.delete(port ?? 0);
    if (far !== undefined) this.#serve(far);
    else if (port !== undefined) this.#expected.add(port);
    if (this.#connecting > 0) return;
    for (const stranger of this.#early.values()) stranger.destroy();
    this.#early.clear();
  }

  #arrived(far: Socket): void {
    far.on('error', () => undefined);
    const port = far.remotePort ?? 0;
    if (this.#expected.delete(port)) this.#serve(far);
    else if (this.#connecting > 0) this.#early.set(port, far);
    else far.destroy();
  }

  #serve(far: Socket): void {
    const words = ['-l', this.#state, '-s', join(this.#state, 'smb.conf')];
    try {
      // In a group of its own: smbd ends with a signal to its whole group.
      const child = spawn(this.#program, words, { stdio: [far, far, 'ignore'], detached: true });
      this.#children.add(child);
      child.once('exit', () => this.#children.delete(child));
      child.on('error', () => this.#children.delete(child));
    } catch {
      // No process, no service: the near end sees the connection end.
    }
    far.destroy();
  }
}

/** The path of smbd, which lies where only root's shell looks; undefined where there is none. */
export function findSmbd(path?: string): string | undefined {
  return findProgram('smbd', path, ['/usr/sbin', '/usr/local/sbin', '/sbin']);
}

function checkedFolder(folder: string): string {
  const path = resolve(folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new HostNetError('cannot-listen', `there is no folder ${path} to share; make it first`);
  }
  // smb.conf(5) has no way to write these; % begins a variable.
  if (/[\r\n"%]|\\$/.test(path)) {
    throw new HostNetError(
      'cannot-listen',
      `${JSON.stringify(path)} cannot be shared; choose a folder of a simpler name`,
    );
  }
  return path;
}

/** smb.conf(5): for guests, nothing outside of the folder and of smbd's own. */
function configurationOf(path: string, state: string): string {
  return `[global]
private dir = ${state}
lock directory = ${state}
state directory = ${state}
cache directory = ${state}
pid directory = ${state}
ncalrpc dir = ${state}/ncalrpc
log file = ${state}/log.smbd
smb passwd file = ${state}/smbpasswd
interfaces = ${LOOPBACK}
bind interfaces only = yes
security = user
map to guest = Bad User
load printers = no
printing = bsd
disable spoolss = yes
usershare max shares = 0

[qemu]
path = ${path}
read only = no
guest ok = yes
force user = ${userInfo().username}
`;
}
