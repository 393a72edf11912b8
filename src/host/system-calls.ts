/** The system calls that Node lacks, made by koffi. They are there on Linux, where the layouts below are the same on each of these machines. */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';

const MACHINES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

export interface SystemCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number): number;
  recvmsg(fd: number, header: Uint8Array, flags: number): number;
  close(fd: number): number;
  /** Octets read, or -1. */
  read(fd: number, into: Uint8Array, length: number): number;
  write(fd: number, bytes: Uint8Array, length: number): number;
  /** `argument` is what the request takes and gives: ioctl(2). */
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** Moves the calling thread, and what it starts from then on, to new namespaces: unshare(2). */
  unshare(flags: number): number;
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): number;
  umount(target: string, flags: number): number;
  prctl(option: number, ...values: readonly [number, number, number, number]): number;
  /** Fills `info`, a `siginfo_t` of 128 octets: waitid(2). */
  waitid(idType: number, id: number, info: Uint8Array, options: number): number;
  /** Why the call before failed; asked at once, or it is another's. */
  errno(): number;
  /** Where a buffer's octets lie. Whoever stores it keeps the buffer. */
  addressOf(bytes: Uint8Array): bigint;
  /** Calls `onReady` whenever the descriptor is readable or holds an error, until it is closed; the handle must be kept. */
  watch(fd: number, onReady: () => void): Watch;
}

export interface Watch {
  close(): void;
}

let loaded: SystemCalls | undefined;
let isAbsent = process.platform !== 'linux' || endianness() !== 'LE' || !MACHINES.has(process.arch);

/** The system calls; undefined where koffi is not installed or the machine is another. The first call takes up to 40 ms. */
export function loadSystemCalls(): SystemCalls | undefined {
  if (loaded === undefined && !isAbsent) loaded = load();
  return loaded;
}

type Koffi = typeof import('koffi');

function load(): SystemCalls | undefined {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    // An optional dependency: without it there is less. One that cannot be opened now, for want of descriptors, may be later.
    isAbsent = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    return undefined;
  }
  const c = koffi.load(null);
  const recvmsg = c.func('intptr_t recvmsg(int, void *, int)');
  const sendto = c.func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)');
  const read = c.func('intptr_t read(int, void *, size_t)');
  const write = c.func('intptr_t write(int, const void *, size_t)');
  return {
    socket: c.func('int socket(int, int, int)'),
    bind: c.func('int bind(int, const void *, uint32_t)'),
    getsockname: c.func('int getsockname(int, void *, void *)'),
    setsockopt: c.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    sendto: (...values) => Number(sendto(...values)),
    recvmsg: (...values) => Number(recvmsg(...values)),
    close: c.func('int close(int)'),
    read: (...values) => Number(read(...values)),
    write: (...values) => Number(write(...values)),
    ioctl: c.func('int ioctl(int, unsigned long, void *)'),
    unshare: c.func('int unshare(int)'),
    mount: c.func('int mount(const char *, const char *, const char *, unsigned long, const char *)'),
    umount: c.func('int umount2(const char *, int)'),
    prctl: c.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
    waitid: c.func('int waitid(int, uint32_t, void *, int)'),
    errno: () => koffi.errno(),
    addressOf: (bytes) => BigInt(koffi.address(bytes)),
    watch: (fd, onReady) => watch(koffi, fd, onReady),
  };
}

function watch(koffi: Koffi, fd: number, onReady: () => void): Watch {
  let isClosed = false;
  // libuv reports an error that waits at a socket as a status below 0, and stops watching.
  const onEvent = (status: unknown) => {
    onReady();
    if (!isClosed && Number(status) < 0) handle.start({ readable: true }, onEvent);
  };
  const handle = koffi.node.poll(fd, { readable: true }, onEvent);
  return {
    close: () => {
      isClosed = true;
      handle.close();
    },
  };
}
