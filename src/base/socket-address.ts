/** Where a stream socket is: `unix:PATH` or `tcp:ADDR:PORT`, IPv6 addresses in brackets. */
export type SocketAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Undefined where the text is neither. Port 0 asks for a free one. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix !== null) return { kind: 'unix', path: unix[1]! };
  const tcp = /^tcp:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp === null || port > 65535) return undefined;
  return { kind: 'tcp', host: tcp[1] ?? tcp[2]!, port };
}

export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `tcp:${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
