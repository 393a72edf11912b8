/** Something on this machine keeps a lab from starting: a stable code, and a message that names the thing and the remedy. */
export class StartError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'StartError';
    this.code = code;
  }
}
