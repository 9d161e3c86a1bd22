// Owns one PGlite: serves its single session to one client at a time over a unix socket.
//
// usage: node pglite_server.mjs OPTIONS, a JSON object:
//   socket, nodeModules  paths
//   parent               the process to die with
// stdin: first a line with the database to boot, another JSON object:
//   dataDir              path
//   template             copied to dataDir first, unless it is null
//   settings             lines of postgresql.conf
//   extensions           {name: module}
// then "stop", which shuts PostgreSQL down cleanly (a template needs that); the end of stdin means
// that the parent is gone, and ends this process at once.
// stdout: a line when clients may come.
import { cpSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const options = JSON.parse(process.argv[2]);
const require = createRequire(join(options.nodeModules, "harness.cjs"));

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
// How long a newcomer waits for the client before it to be gone: a close and a connect that were
// sent one after the other may be seen in either order.
const GRACE_MS = 250;
const FAULT = 3;

let db;
let owner = null; // the client that has the session
let waiting = []; // clients that have sent their startup packet and hope that the owner leaves

function die(message) {
  process.stderr.write(`${message}\n`);
  process.exit(FAULT);
}

/** What PGlite answers to these bytes: synchronous, for WASM runs on this very thread. */
function execute(bytes) {
  const chunks = [];
  db.execProtocolRawStream(bytes, {
    syncToFs: false, // nodefs has nothing to sync
    onRawData: (data) => chunks.push(Buffer.from(data)), // a copy: the memory is PostgreSQL's
  }).catch((error) => die(`PGlite failed: ${error.message ?? error}`));
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function message(type, body) {
  const header = Buffer.alloc(5);
  header.write(type, 0, "latin1");
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

const query = (sql) => message("Q", Buffer.from(`${sql}\0`));

function refusal() {
  const fields = {
    S: "FATAL",
    V: "FATAL",
    C: "53300", // too_many_connections
    M: "PGlite has one place, and another connection holds it",
    H: "Use the connection that the worker already has, or close it first.",
  };
  const text = Object.entries(fields).map(([key, value]) => `${key}${value}\0`);
  return message("E", Buffer.from(`${text.join("")}\0`));
}

/** Whether this SQL is one COPY ... FROM STDIN; comments before it do not matter. */
function copiesIn(sql) {
  const bare = sql.replace(/^(\s+|--[^\n]*\n|\/\*[^]*?\*\/)*/, "");
  return /^copy\b[^]*\bfrom\s+stdin\b/i.test(bare);
}

// Sent after whatever may copy: PostgreSQL would read on for data, find the end of the input, and end
// the session. Where nothing is being copied it ignores this message.
const NO_MORE_DATA = message(
  "f",
  Buffer.from("PGlite takes COPY ... FROM STDIN only as the sole statement of a message\0"),
);

const copyInResponse = (format) => message("G", Buffer.from([format === "binary" ? 1 : 0, 0, 0]));

/** The answer without its first CopyInResponse, which the client had long before. */
function withoutCopyInResponse(answer) {
  for (let at = 0; at < answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    if (answer[at] === 0x47) {
      const end = at + 1 + answer.readInt32BE(at + 1);
      return Buffer.concat([answer.subarray(0, at), answer.subarray(end)]);
    }
  }
  return answer;
}

class Client {
  constructor(socket) {
    this.socket = socket;
    this.unread = Buffer.alloc(0); // the beginning of a message whose rest has not come
    this.startup = null; // the startup packet, once it is there
    this.copyFormat = null; // of the COPY ... FROM STDIN that was parsed last
    // PGlite cannot wait for data in the middle of a statement: a COPY ... FROM STDIN is held
    // back until its data is complete.
    this.held = null;
    socket.setNoDelay(true);
    socket.on("data", (data) => this.receive(data));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.leave());
  }

  receive(data) {
    this.unread = this.unread.length ? Buffer.concat([this.unread, data]) : data;
    if (!this.startup) this.greet();
    if (owner === this) this.serve();
  }

  /** Reads what comes before the session: requests for encryption, then the startup packet. */
  greet() {
    while (this.unread.length >= 8) {
      const length = this.unread.readInt32BE(0);
      const code = this.unread.readInt32BE(4);
      if (this.unread.length < length) return;
      const packet = this.unread.subarray(0, length);
      this.unread = this.unread.subarray(length);
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        this.socket.write("N");
      } else if (code === CANCEL_REQUEST) {
        return void this.socket.destroy(); // a running statement blocks this thread anyway
      } else {
        this.startup = packet;
        return this.enter();
      }
    }
  }

  enter() {
    if (owner) {
      waiting.push(this);
      this.timer = setTimeout(() => this.socket.end(refusal()), GRACE_MS);
      return;
    }
    clearTimeout(this.timer);
    owner = this;
    this.socket.write(execute(this.startup));
  }

  /** Hands over all complete messages at once, and answers in one write. */
  serve() {
    const bytes = this.unread;
    let start = 0; // of what has not been handed over
    let end = 0;
    while (bytes.length - end >= 5 && owner === this) {
      const next = end + 1 + bytes.readInt32BE(end + 1);
      if (bytes.length < next) break;
      const type = String.fromCharCode(bytes[end]);
      if (type === "X") {
        this.run(bytes.subarray(start, end));
        this.socket.end();
        return this.leave();
      }
      if (this.held) {
        this.hold(type, bytes.subarray(end, next));
        start = next;
      } else if (this.beginsCopy(type, bytes.subarray(end, next))) {
        this.held = [bytes.subarray(start, next)];
        start = next;
      }
      end = next;
    }
    this.run(bytes.subarray(start, end));
    this.unread = bytes.subarray(end);
  }

  /** Whether this message starts a COPY ... FROM STDIN: if so the client is asked for the data. */
  beginsCopy(type, bytes) {
    if (type === "Q" || type === "P") {
      const sql = bytes.toString("utf8", 5);
      const text = type === "P" ? sql.slice(sql.indexOf("\0") + 1) : sql; // a Parse opens with a name
      this.copyFormat = copiesIn(text) ? (/\bbinary\b/i.test(text) ? "binary" : "text") : null;
    }
    if (!this.copyFormat || (type !== "Q" && type !== "E")) return false;
    this.socket.write(copyInResponse(this.copyFormat));
    this.copyFormat = null;
    return true;
  }

  /** Keeps the data of a COPY back until it is whole; libpq sends a Sync before it as well. */
  hold(type, bytes) {
    this.held.push(Buffer.from(bytes));
    if ("dHS".includes(type)) return;
    const whole = Buffer.concat([...this.held, NO_MORE_DATA]);
    this.held = null;
    this.socket.write(withoutCopyInResponse(execute(whole)));
  }

  run(bytes) {
    if (!bytes.length) return;
    const mayCopy = /\bfrom\s+stdin\b/i.test(bytes.toString("latin1"));
    const answer = execute(mayCopy ? Buffer.concat([bytes, NO_MORE_DATA]) : bytes);
    if (answer.length && this.socket.writable) this.socket.write(answer);
  }

  /** Gives the place back as a new session would find it. */
  leave() {
    clearTimeout(this.timer);
    waiting = waiting.filter((client) => client !== this);
    if (owner !== this) return;
    // The Sync ends an extended query that was left half-way; in between nothing else is heard.
    execute(Buffer.concat([message("S", Buffer.alloc(0)), query("ROLLBACK")]));
    execute(query("DISCARD ALL"));
    owner = null;
    const next = waiting.shift();
    if (!next) return;
    next.enter();
    next.serve();
  }
}

function obeyParent() {
  createInterface({ input: process.stdin })
    .on("line", (line) => (line === "stop" ? stop() : boot(JSON.parse(line))))
    .on("close", () => process.exit(0));
  // Where a fork of the parent keeps the pipe open, its end is never seen.
  setInterval(() => process.ppid === options.parent || process.exit(0), 1000).unref();
}

/**
 * Makes a trap of the WASM (its stack or its memory is exhausted) the end of this process: PGlite
 * swallows it and calls PostgreSQL again, for ever.
 */
function dieOfTraps() {
  const { _PostgresMainLoopOnce: original } = db.Module;
  db.Module._PostgresMainLoopOnce = () => {
    try {
      original();
    } catch (error) {
      // PostgreSQL's own jumps, which PGlite needs, are no Errors.
      if (error instanceof Error) die(`PGlite broke down: ${error.message}`);
      throw error;
    }
  };
}

/** A file of PGlite's package; read as such, for the package does not export them. */
const packageFile = (name) => readFileSync(join(options.nodeModules, "@electric-sql/pglite", name));

function loadExtensions(modules) {
  const entries = Object.entries(modules).map(([name, module]) => {
    const [extension] = Object.values(require(module)); // each module exports just this
    return [name, extension];
  });
  return Object.fromEntries(entries);
}

async function stop() {
  await db.close();
  process.exit(0);
}

/** Copied here and not by the parent, which has enough to do meanwhile. */
function copyTemplate(template, dataDir) {
  try {
    cpSync(template, dataDir, { recursive: true });
  } catch (error) {
    die(`the template cannot be copied: ${error.message}`);
  }
}

async function boot({ dataDir, template, settings, extensions }) {
  if (template) copyTemplate(template, dataDir);
  db = await PGlite.create({
    dataDir,
    pgliteWasmModule: await wasm,
    postgresqlconf: settings,
    extensions: loadExtensions(extensions),
    onStderr: (text) => process.stderr.write(`${text}\n`),
  });
  dieOfTraps();
  createServer((socket) => new Client(socket))
    .on("error", (error) => die(`cannot listen on ${options.socket}: ${error.message}`))
    .listen(options.socket, () => process.stdout.write("ready\n"));
}

// All that needs no data directory is done before there is one: the parent still looks for it.
const wasm = WebAssembly.compile(packageFile("dist/pglite.wasm"));
const { PGlite } = require("@electric-sql/pglite");
obeyParent();
