/**
 * The files by which programs find names, as the command shall see them: the lab's name server instead of the host's, and no other way
 * to ask. They are mounted over the host's in the mount namespace of this process, and lie in memory that goes with it.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { isDomain } from '../../lab/names.ts';
import { StartError } from '../start-error.ts';
import type { SystemCalls } from '../system-calls.ts';

const MS_BIND = 0x1000;
const MNT_DETACH = 2;

export const RESOLVER = '/etc/resolv.conf';
const SWITCH = '/etc/nsswitch.conf';
const HOSTS = '/etc/hosts';
/** Where nscd answers for the host; hidden, since it knows the host's names only. */
const NAME_CACHES = ['/run/nscd', '/var/run/nscd'];

export interface Names {
  /** Addresses of name servers. */
  readonly servers: readonly string[];
  /** The domain that names without one are looked up in. */
  readonly domain?: string | undefined;
}

/** The command's `resolv.conf`, which may change as leases do. */
export class OwnFiles {
  readonly #resolver: number | undefined;

  /** `folder` is hidden for a moment; nobody else may be in the mount namespace yet. */
  constructor(system: SystemCalls, folder: string) {
    const mount = (source: string, target: string, type: string | null, flags: number): void => {
      if (system.mount(source, target, type, flags, null) === 0) return;
      throw new StartError('no-mount', `${target} cannot be replaced (${getSystemErrorName(-system.errno())})`);
    };
    mount('vmlan', folder, 'tmpfs', 0);
    const put = (path: string, text: string): number => {
      const own = join(folder, path.replaceAll('/', '-'));
      const fd = openSync(own, 'w', 0o644);
      writeSync(fd, text);
      mount(own, path, null, MS_BIND);
      return fd;
    };
    const there = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    if (there(HOSTS)) closeSync(put(HOSTS, hostsText(hostname())));
    if (there(SWITCH)) closeSync(put(SWITCH, switchText(readFileSync(SWITCH, 'utf8'))));
    this.#resolver = there(RESOLVER) ? put(RESOLVER, '') : undefined;
    system.umount(folder, MNT_DETACH);
    for (const cache of NAME_CACHES) if (existsSync(cache)) system.mount('vmlan', cache, 'tmpfs', 0, null);
  }

  /** Whether programs find the lab's name server: nothing can be put over a file that the host does not have. */
  get tellsNames(): boolean {
    return this.#resolver !== undefined;
  }

  setNames(names: Names): void {
    if (this.#resolver === undefined) return;
    ftruncateSync(this.#resolver, 0);
    writeSync(this.#resolver, resolverText(names), 0);
  }
}

/** What programs read about processes and interfaces is told of their own namespaces from now on, unless the machine forbids it. */
export function showOwnNamespaces(system: SystemCalls): void {
  system.mount('proc', '/proc', 'proc', 0, null);
  system.mount('sysfs', '/sys', 'sysfs', 0, null);
}

/** A domain comes from whoever answers DHCP: what is none, such as two lines, is left out. */
export function resolverText({ servers, domain }: Names): string {
  const lines = [
    ...(domain === undefined || !isDomain(domain) ? [] : [`search ${domain}`]),
    ...servers.map((server) => `nameserver ${server}`),
  ];
  return `# The names of a vmlan network.\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** Hosts are looked up in files and by DNS, whatever else the machine asks. */
export function switchText(text: string): string {
  return `${text.replaceAll(/^\s*hosts\s*:.*\n?/gm, '').replace(/\n?$/, '\n')}hosts: files dns\n`;
}

/** Nothing but the machine itself: names that the host knows may be the lab's. */
export function hostsText(name: string): string {
  return `127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 ${name}\n`;
}
