// tsc emits files with mode 644; a rebuilt program must stay executable.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/main.js', import.meta.url), 0o755);
