import type { Readable } from 'node:stream';

export interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
}

/** The server-sent events of an answer (HTML Standard, 9.2, as far as vmlan writes them), until it ends or its lab is gone. */
export async function* readEvents(answer: Readable): AsyncIterable<ServerSentEvent> {
  answer.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of answer) {
      const blocks = (text + String(chunk)).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event !== undefined) yield { event, data: JSON.parse(data!) };
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error; // the lab was killed
  }
}
