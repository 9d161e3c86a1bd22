// Owns initdb: writes a fresh data directory that PGlite can boot from.
// usage: node pglite_template.mjs NODE_MODULES DATA_DIRECTORY
import { createRequire } from "node:module";
import { join } from "node:path";

const [nodeModules, dataDir] = process.argv.slice(2);
const require = createRequire(join(nodeModules, "harness.cjs"));
const { PGlite } = require("@electric-sql/pglite");

// Python holds the other end: when it is gone, so are we.
process.stdin.on("close", () => process.exit(1)).resume();

const db = await PGlite.create({
  dataDir,
  // 16 MB segments are the better part of a fresh directory; 1 MB is the least that initdb takes.
  initDbStartParams: ["--wal-segsize=1", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
  onStderr: (text) => process.stderr.write(`${text}\n`),
});
await db.close();
process.exit(0);
