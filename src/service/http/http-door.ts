/** HTTP on a station's own TCP: what services need of the outside for it. `host/` has it by Node's server. */
import type { TcpRequest } from '../../stack/tcp-layer.ts';

export interface HttpAnswer {
  readonly status: number;
  /** The media type of the text. */
  readonly type: string;
  readonly text: string;
}

export interface HttpHandler {
  /** Answers a request that asks for something (GET or HEAD); `path` as it was sent, without what stands behind `?`. */
  answer(path: string): HttpAnswer;
  /** A client was turned away, for a reason such as `http-busy`. */
  refused(reason: string): void;
}

export interface HttpDoor {
  /** Takes a client in, or refuses it where there are too many. */
  take(request: TcpRequest): void;
  /** Cuts off who is still there. */
  close(): void;
}

export type OpenHttpDoor = (handler: HttpHandler) => HttpDoor;
