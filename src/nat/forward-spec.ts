/** What is forwarded: from the host into a guest (`hostfwd`), and from guests to something on the host (`guestfwd`). */
import type { StreamTarget } from '../base/host-net.ts';
import type { Ip } from '../wire/ip-address.ts';

/** A socket on the host whose clients reach a port of a guest. */
export interface HostForward {
  readonly protocol: 'tcp' | 'udp';
  readonly listen: ForwardListen;
  /** The guest's address, or its name in the lab, which is looked up when a client comes. */
  readonly guest: Ip | string;
  /** The first port of the guest; of a range the following ones belong to the following ports of the host. */
  readonly guestPort: number;
  /** Says to the guest who the client is: in a PROXY header of this version in front of the octets. TCP only. */
  readonly proxyProtocol?: 1 | 2;
  /** A client that is not on the host's loopback appears to the guest with its own address; otherwise the gateway's. */
  readonly showsClient: boolean;
}

export type ForwardListen =
  /** Ports [first, last]; 0 for both asks for a free one. */
  | { readonly kind: 'ip'; readonly address: Uint8Array; readonly first: number; readonly last: number }
  /** TCP only. */
  | { readonly kind: 'unix'; readonly path: string };

/** An address and port inside the network behind which something of the host answers. TCP only. */
export interface GuestForward {
  readonly address: Ip;
  readonly port: number;
  /** A socket that each connection connects to, or a command for the shell that is started for each. */
  readonly to: StreamTarget | { readonly kind: 'command'; readonly command: string };
}
