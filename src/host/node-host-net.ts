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
import { bindPlainDatagrams, plainDatagrams } from './plain-datagrams.ts';

/** The network of this machine. */
export class NodeHostNet implements HostNet {
  async prepare(): Promise<HostAbilities> {
    return { hasIcmpErrors: false, echo: 'none' };
  }

  connect(to: StreamTarget, events: HostStreamEvents, options?: ConnectOptions): HostStream {
    return connectStream(to, events, options);
  }

  listen(at: StreamTarget, onStream: OnHostStream): Promise<HostListener> {
    return listenStreams(at, onStream);
  }

  bind(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket> {
    return bindPlainDatagrams(at, events);
  }

  socket(family: 4 | 6, events: HostDatagramEvents, options: ConnectOptions = {}): HostDatagramSocket {
    return plainDatagrams(family, events, options.source);
  }

  echo(): HostEcho {
    return { send: () => undefined, close: () => undefined };
  }

  run(command: string, events: HostStreamEvents): HostStream {
    return runCommand(command, events);
  }
}
