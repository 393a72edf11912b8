import type { Endpoint } from '../base/endpoint.ts';
import type {
  ConnectOptions,
  HostDatagramEvents,
  HostDatagramSocket,
  HostEcho,
  HostEchoEvents,
  HostListener,
  HostNet,
  HostStream,
  HostStreamEvents,
  OnHostStream,
  StreamTarget,
} from '../base/host-net.ts';
import { runCommand } from './command-stream.ts';
import { connectStream, listenStreams } from './host-streams.ts';
import { bindKernelDatagrams, KernelDatagrams } from './kernel-datagrams.ts';
import { echoKindOf, KernelEcho } from './kernel-echo.ts';
import { findPing, PingCommandEcho } from './ping-command.ts';
import { bindPlainDatagrams, plainDatagrams } from './plain-datagrams.ts';
import type { SystemCalls } from './system-calls.ts';
import { loadSystemCalls } from './system-calls.ts';

/** What this host lets an unprivileged process do. */
export interface HostAbilities {
  /** Whether `HostDatagramEvents.refused` is ever called. */
  readonly hasIcmpErrors: boolean;
  /** How echo requests leave; `none`: they do not. */
  readonly echo: 'ping-socket' | 'raw' | 'ping-command' | 'none';
}

/** The network of this machine. System calls are loaded at the first datagram or echo request, for that takes a third of a lab's start. */
export class NodeHostNet implements HostNet {
  readonly #load: () => SystemCalls | undefined;
  readonly #ping: string | undefined;
  #echo: HostAbilities['echo'] | undefined;

  /** `load` says which system calls there are, `ping` where the program is that pings where they do not. */
  constructor(load = loadSystemCalls, ping = findPing()) {
    this.#load = load;
    this.#ping = ping;
  }

  get abilities(): HostAbilities {
    const system = this.#load();
    this.#echo ??= (system && echoKindOf(system)) ?? (this.#ping === undefined ? 'none' : 'ping-command');
    return { hasIcmpErrors: system !== undefined, echo: this.#echo };
  }

  connect(to: StreamTarget, events: HostStreamEvents, options?: ConnectOptions): HostStream {
    return connectStream(to, events, options);
  }

  listen(at: StreamTarget, onStream: OnHostStream): Promise<HostListener> {
    return listenStreams(at, onStream);
  }

  bind(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket> {
    const system = this.#load();
    return system === undefined ? bindPlainDatagrams(at, events) : bindKernelDatagrams(system, at, events);
  }

  socket(family: 4 | 6, events: HostDatagramEvents, { source }: ConnectOptions = {}): HostDatagramSocket {
    const system = this.#load();
    if (system === undefined) return plainDatagrams(family, events, source);
    const at = source === undefined ? undefined : { address: source, port: 0 };
    return new KernelDatagrams(system, family, events, at);
  }

  echo(family: 4 | 6, events: HostEchoEvents): HostEcho {
    const { echo } = this.abilities;
    const system = this.#load();
    if (system !== undefined && (echo === 'ping-socket' || echo === 'raw'))
      return new KernelEcho(system, echo, family, events);
    if (this.#ping !== undefined && echo === 'ping-command') return new PingCommandEcho(this.#ping, family, events);
    return { send: () => undefined, close: () => undefined };
  }

  run(command: string, events: HostStreamEvents): HostStream {
    return runCommand(command, events);
  }
}
