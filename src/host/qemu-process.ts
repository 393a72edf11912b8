import { spawn } from 'node:child_process';

/** A QEMU that we started. */
export interface QemuProcess {
  /** What its serial console said so far, escape sequences left out. */
  readonly console: string;
  /** What it complained about. */
  readonly errors: string;
  /** False once it has ended. */
  readonly isRunning: boolean;
  /** Switches the machine off; resolves when the process is gone. */
  stop(): Promise<void>;
}

/** Starts QEMU with its serial console on our side of a pipe. A program that cannot be started has ended with an error. */
export function startQemu(program: string, words: readonly string[]): QemuProcess {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let isRunning = true;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      isRunning = false;
      resolve();
    };
    child.once('close', end);
    child.once('error', (error) => {
      errors += error.message;
      end();
    });
  });
  child.stdout.setEncoding('latin1').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return {
    get console() {
      return output.replace(ESCAPE_SEQUENCES, '');
    },
    get errors() {
      return errors;
    },
    get isRunning() {
      return isRunning;
    },
    stop: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: consoles speak in them
const ESCAPE_SEQUENCES = /\x1b[[(][0-9;?=]*[a-zA-Z]|[\r\x08\x1b]/g;
