/** Loaded into vmlan before its program: answers each message of the parent with what is in use once nothing is left to collect. */
process.on('message', () => {
  globalThis.gc();
  globalThis.gc();
  process.send(process.memoryUsage());
});
