import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileSink } from '../../src/host/file-sink.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a file sink', () => {
  it('replaces what the file held', async () => {
    const path = join(temporaryFolder(), 'file');
    await writeFile(path, 'something longer than what follows');
    const sink = await openFileSink(path);
    await sink.write(Uint8Array.of(1, 2));
    await sink.write(Uint8Array.of(3));
    expect(await readFile(path)).toEqual(Buffer.of(1, 2, 3));
    await sink.close();
  });

  it('is not opened where there is no such folder', async () => {
    await expect(openFileSink(join(temporaryFolder(), 'none', 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.skipIf(!existsSync('/dev/full'))('rejects a write that the machine refuses', async () => {
    const sink = await openFileSink('/dev/full');
    await expect(sink.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ENOSPC' });
    await sink.close();
  });
});
