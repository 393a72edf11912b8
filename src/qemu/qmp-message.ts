/**
 * Messages of the QEMU Machine Protocol (docs/interop/qmp-spec): JSON objects, one a line.
 *
 *     server  {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, …}, "capabilities": […]}}
 *     client  {"execute": "query-status", "id": 1}
 *     server  {"return": {"status": "running", …}, "id": 1}   or   {"error": {"class": "GenericError", "desc": "…"}, "id": 1}
 *     server  {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}, "timestamp": {…}}
 */

export type QmpObject = Readonly<Record<string, unknown>>;

export type QmpMessage =
  | { readonly kind: 'greeting' }
  /** `id` is undefined where it is not one of ours. */
  | { readonly kind: 'return'; readonly id: number | undefined; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number | undefined; readonly description: string }
  | { readonly kind: 'event'; readonly name: string; readonly data: QmpObject };

/** Reads one line; undefined where it is no message of this protocol. */
export function readQmpMessage(line: string): QmpMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return undefined; // that is the answer
  }
  if (!isObject(message)) return undefined;
  const { event, error, id } = message;
  const number = typeof id === 'number' ? id : undefined;
  if (isObject(message['QMP'])) return { kind: 'greeting' };
  if (typeof event === 'string') return { kind: 'event', name: event, data: objectOf(message['data']) };
  if (isObject(error)) return { kind: 'error', id: number, description: textOf(error['desc'] ?? error['class']) };
  return 'return' in message ? { kind: 'return', id: number, value: message['return'] } : undefined;
}

/** One line, with its end. */
export function formatQmpCommand(id: number, name: string, args: QmpObject | undefined): string {
  return `${JSON.stringify({ execute: name, ...(args && { arguments: args }), id })}\n`;
}

/** An object as it is; anything else as an empty one. */
export function objectOf(value: unknown): QmpObject {
  return isObject(value) ? value : {};
}

/** A string as it is; anything else, which may have a `toString` of its own, as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function isObject(value: unknown): value is QmpObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
