import type { Endpoint } from '../base/endpoint.ts';
import type {
  ConnectOptions,
  HostAbilities,
  HostDatagramEvents,
  HostDatagramSocket,
  HostEcho,
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
import { bindPlainDatagrams, plainDatagrams } from './plain-datagrams.ts';
import type { SystemCalls } from './system-calls.ts';
import { loadSystemCalls } from './system-calls.ts';

/** The network of this machine. */
export class NodeHostNet implements HostNet {
  readonly #load: () => Promise<SystemCalls | undefined>;
  #system: SystemCalls | undefined;

  /** `load` says which system calls there are; without them datagrams have no ICMP errors. */
  constructor(load = loadSystemCalls) {
    this.#load = load;
  }

  async prepare(): Promise<HostAbilities> {
    this.#system = await this.#load();
    return { hasIcmpErrors: this.#system !== undefined, echo: 'none' };
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

  echo(): HostEcho {
    return { send: () => undefined, close: () => undefined };
  }

  run(command: string, events: HostStreamEvents): HostStream {
    return runCommand(command, events);
  }
}
