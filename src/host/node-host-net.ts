import type { Endpoint } from '../base/endpoint.ts';
import type {
  ConnectOptions,
  HostAbilities,
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

/** The network of this machine. */
export class NodeHostNet implements HostNet {
  readonly #load: () => Promise<SystemCalls | undefined>;
  readonly #ping: string | undefined;
  #system: SystemCalls | undefined;
  #abilities: HostAbilities = { hasIcmpErrors: false, echo: 'none' };

  /** `load` says which system calls there are, `ping` where the program is that pings where they do not. */
  constructor(load = loadSystemCalls, ping = findPing()) {
    this.#load = load;
    this.#ping = ping;
  }

  async prepare(): Promise<HostAbilities> {
    const system = await this.#load();
    const command = this.#ping === undefined ? 'none' : 'ping-command';
    const echo = (system === undefined ? undefined : echoKindOf(system)) ?? command;
    this.#system = system;
    this.#abilities = { hasIcmpErrors: system !== undefined, echo };
    return this.#abilities;
  }

  connect(to: StreamTarget, events: HostStreamEvents, options?: ConnectOptions): HostStream {
    return connectStream(to, events, options);
  }

  listen(at: StreamTarget, onStream: OnHostStream): Promise<HostListener> {
    return listenStreams(at, onStream);
  }

  bind(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket> {
    const system = this.#system;
    return system === undefined ? bindPlainDatagrams(at, events) : bindKernelDatagrams(system, at, events);
  }

  socket(family: 4 | 6, events: HostDatagramEvents, { source }: ConnectOptions = {}): HostDatagramSocket {
    if (this.#system === undefined) return plainDatagrams(family, events, source);
    const at = source === undefined ? undefined : { address: source, port: 0 };
    return new KernelDatagrams(this.#system, family, events, at);
  }

  /** IPv4 alone; requests of the other family go nowhere. */
  echo(family: 4 | 6, events: HostEchoEvents): HostEcho {
    const { echo } = this.#abilities;
    if (family === 4 && this.#system !== undefined && (echo === 'ping-socket' || echo === 'raw')) {
      return new KernelEcho(this.#system, echo, events);
    }
    if (family === 4 && this.#ping !== undefined && echo === 'ping-command')
      return new PingCommandEcho(this.#ping, events);
    return { send: () => undefined, close: () => undefined };
  }

  run(command: string, events: HostStreamEvents): HostStream {
    return runCommand(command, events);
  }
}
