/** Where captures of a lab file go on the real machine. */
import { open } from 'node:fs/promises';
import type { ByteSink } from '../base/files.ts';

/** Creates or empties the file at `path`. Rejects where that is not possible. */
export async function openFileSink(path: string): Promise<ByteSink> {
  const file = await open(path, 'w', 0o644);
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
        at += bytesWritten;
      }
    },
    close: () => file.close(),
  };
}
