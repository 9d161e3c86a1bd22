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
// stdout: when clients may come, a line, one more JSON object:
//   pid
//   node, pglite, postgres  versions
// exit code: 0 when told to end, 3 after a fault, with its reason on stderr.
//
// PostgreSQL is WASM, which runs on this thread and cannot be suspended. What it answers to the
// messages of one chunk is gathered, and written at once. Where on a server it would wait for its
// client, as the socket is full or the data of a COPY is yet to come, this whole thread waits: then
// nothing else is heard, not even a client that would be refused.
import { cpSync, readFileSync, readSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const options = JSON.parse(process.argv[2]);
const require = createRequire(join(options.nodeModules, "harness.cjs"));
const FAULT = 3;
const EMPTY = Buffer.alloc(0); // not a part of what was read: that would keep all of it in memory

let postgres; // PGlite's WASM module
let owner = null; // the client that has the session
let stop; // shuts PostgreSQL down, once there is one
let waiting = []; // clients that have sent their startup packet and hope that the owner leaves

function die(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(FAULT);
}

// PostgreSQL ends its session with an exit (that is what a FATAL error is), and the WASM traps when
// its stack or its memory is exhausted: nothing is left that could answer. All else is a bug.
process.on("uncaughtException", (error) => {
  if (owner) flush(); // last words, a FATAL error for example
  if (error.name === "ExitStatus") die("PostgreSQL has ended the session, and PGlite has no other");
  die(`${error.stack}\nPGlite broke down: ${error.message ?? error}`); // reports show the end
});

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
// PostgreSQL's own limits. To break one is a FATAL error there: the end of the session for all.
const LONGEST_PACKET = 10_000;
const LONGEST_MESSAGE = new Map([
  ...[..."QPBFd"].map((type) => [type, 0x3ffffffe]), // held in memory whole, and then once more
  ...[..."CDEHSXcf"].map((type) => [type, 10_000]),
]);
const IN_COPY = "dcfHS"; // what a client may send while it copies

function message(type, text) {
  const body = Buffer.from(`${text}\0`);
  const header = Buffer.alloc(5, type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** Why a startup packet is refused, or null: PostgreSQL itself refuses with a FATAL error. */
function problemOf(packet) {
  const version = packet.readUInt32BE(4);
  const [major, minor] = [version >>> 16, version & 0xffff];
  if (major !== 3) return `unsupported frontend protocol ${major}.${minor}: PGlite speaks 3`;
  const body = packet.toString("latin1", 8);
  if (!/^([^\0]+\0[^\0]*\0)*\0$/.test(body)) return "invalid startup packet layout";
  const pairs = [...body.matchAll(/([^\0]+)\0([^\0]*)\0/g)];
  const parameters = new Map(pairs.map(([, name, value]) => [name, value]));
  if (!parameters.get("user")) return "no PostgreSQL user name specified";
  return parameters.has("replication") ? "PGlite has no replication" : null;
}

const STARTUP = Buffer.from("\0\0\0\x17\0\x03\0\0user\0postgres\0\0");
const SYNC = Buffer.from("S\0\0\0\x04");
const query = (sql) => message("Q", sql);
const typeOf = (bytes) => String.fromCharCode(bytes[0]);

function fatal(code, text, hint) {
  const fields = { S: "FATAL", V: "FATAL", C: code, M: text, ...(hint && { H: hint }) };
  return message("E", Object.entries(fields).map(([key, value]) => `${key}${value}\0`).join(""));
}

/** What a client has sent and nobody has read: chunks in, whole messages out. */
class Inbox {
  bytes = EMPTY;
  late = []; // chunks that came after these bytes
  length = 0; // of both
  breach = null; // how the client broke the protocol, after which nothing is read any more

  push(chunk) {
    this.late.push(chunk);
    this.length += chunk.length;
  }

  /** Whether so many bytes are there; only then are chunks joined, so that each is copied once. */
  has(count) {
    if (this.bytes.length >= count) return true;
    if (this.length < count) return false;
    const isOne = !this.bytes.length && this.late.length === 1;
    this.bytes = isOne ? this.late[0] : Buffer.concat([this.bytes, ...this.late]);
    this.late = [];
    return true;
  }

  take(count) {
    const taken = this.bytes.subarray(0, count);
    this.length -= count;
    this.bytes = this.bytes.length > count ? this.bytes.subarray(count) : EMPTY;
    return taken;
  }

  /** The next packet of those that come before the session, or null. */
  packet() {
    if (this.breach || !this.has(4)) return null;
    const length = this.bytes.readInt32BE(0);
    if (length < 8 || length > LONGEST_PACKET) this.breach = "invalid length of startup packet";
    return !this.breach && this.has(length) ? this.take(length) : null;
  }

  /** The next message, or null. */
  message() {
    if (this.breach || !this.has(5)) return null;
    const longest = LONGEST_MESSAGE.get(typeOf(this.bytes));
    const length = this.bytes.readInt32BE(1);
    if (!longest) this.breach = `invalid frontend message type ${this.bytes[0]}`;
    else if (length < 4 || length > longest) this.breach = "invalid message length";
    return !this.breach && this.has(1 + length) ? this.take(1 + length) : null;
  }
}

const LONG_JUMP = 100; // the exit status by which PGlite tells an error from an end
let input = EMPTY; // what PostgreSQL has not read yet of the message that it works on
const output = Buffer.alloc(64 * 1024); // what it has answered and nobody has got yet
let answered = 0; // so much of it

/** Called by PostgreSQL. It gets one message at a time, and only a COPY asks for another. */
function read(pointer, most) {
  if (!input.length) input = owner.nextOfCopy();
  const part = input.subarray(0, most);
  postgres.HEAPU8.set(part, pointer);
  input = input.length > most ? input.subarray(most) : EMPTY;
  return part.length;
}

/** Called by PostgreSQL with 8 kB at a time, or with a large value as a whole. */
function write(pointer, length) {
  const bytes = postgres.HEAPU8.subarray(pointer, pointer + length);
  if (answered + length > output.length) flush();
  if (length > output.length) {
    owner.send(bytes);
  } else {
    output.set(bytes, answered);
    answered += length;
  }
  return length;
}

function flush() {
  const bytes = output.subarray(0, answered);
  answered = 0;
  owner.send(bytes);
}

/** Opens the session for a client that has sent this startup packet. */
function begin(packet) {
  input = packet;
  postgres._ProcessStartupPacket(postgres._pgl_getMyProcPort(), 1, 1);
  postgres._pgl_sendConnData();
  postgres._pgl_pq_flush();
}

function run(bytes) {
  input = bytes;
  do {
    const stack = postgres.stackSave();
    try {
      postgres._PostgresMainLoopOnce();
    } catch (error) {
      // PGlite's own loop swallows the others, too, and calls PostgreSQL again, for ever.
      if (error.status !== LONG_JUMP) throw error;
      postgres.stackRestore(stack);
      postgres._PostgresMainLongJmp();
    }
  } while (input.length || postgres._pq_buffer_remaining_data() > 0);
}

/** To be called after messages were run: the client gets all that was answered. */
function settle() {
  postgres._PostgresSendReadyForQueryIfNecessary();
  postgres._pgl_pq_flush();
  flush();
}

/** Makes the statement that runs fail. */
function cancel() {
  postgres.setValue(postgres._QueryCancelPending, 1, "i32");
  postgres.setValue(postgres._InterruptPending, 1, "i32");
}

// How long a newcomer waits for the client before it to be gone: a close and a connect that were
// sent one after the other may be seen in either order.
const GRACE_MS = 250;
const LONGEST_PAUSE_MS = 10;
const NEVER = new Int32Array(new SharedArrayBuffer(4)); // what a pause waits for

/** How many bytes a system call read or wrote, waited for if need be; 0 when the client is gone. */
function patiently(systemCall) {
  for (let pause = 0.05; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return systemCall();
    } catch (error) {
      if (error.code !== "EAGAIN") return 0;
    }
    if (process.ppid !== options.parent) process.exit(0);
    Atomics.wait(NEVER, 0, 0, pause);
  }
}

class Client {
  inbox = new Inbox();
  startup = null; // the startup packet, once it is there
  declined = 0; // requests for encryption
  isGone = false; // whether what PostgreSQL answers is for nobody

  constructor(socket) {
    this.socket = socket;
    socket.on("data", (data) => this.receive(data));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.leave());
  }

  /** For system calls, as Node's streams stand still while this thread waits. */
  get descriptor() {
    return this.socket._handle?.fd ?? -1;
  }

  receive(data) {
    if (this.isGone) return;
    this.inbox.push(data);
    if (!this.startup) this.greet();
    if (owner === this) this.serve();
  }

  /** Reads what comes before the session: requests for encryption, then the startup packet. */
  greet() {
    for (let packet; !this.startup && (packet = this.inbox.packet()); ) {
      const code = packet.readInt32BE(4);
      const isEncryption = code === SSL_REQUEST || code === GSS_REQUEST;
      if (code === CANCEL_REQUEST) return this.close(); // nothing runs while this thread can hear
      // No more than two, one for each kind: so short a stream never waits in Node's own queue.
      if (isEncryption && this.declined++ < 2) this.socket.write("N");
      else this.startup = packet;
    }
    const problem = this.inbox.breach ?? (this.startup && problemOf(this.startup));
    if (problem) this.dismiss("08P01", problem);
    else if (this.startup) this.enter();
  }

  enter() {
    if (owner) {
      waiting.push(this);
      const reason = "PGlite has one place, and another connection holds it";
      const hint = "Use the connection that the worker already has, or close it first.";
      this.timer = setTimeout(() => this.dismiss("53300", reason, hint), GRACE_MS);
      return;
    }
    clearTimeout(this.timer);
    owner = this;
    begin(this.startup);
    flush();
  }

  /** Runs all messages that are whole, and answers in one write. */
  serve() {
    let bytes = null;
    while (!this.isGone && (bytes = this.inbox.message())) {
      if (typeOf(bytes) === "X") break;
      run(bytes);
    }
    settle();
    if (this.inbox.breach) this.dismiss("08P01", this.inbox.breach);
    else if (bytes || this.isGone) this.close();
  }

  /** The next message of the COPY ... FROM STDIN that PostgreSQL is in, waited for. */
  nextOfCopy() {
    flush();
    for (;;) {
      const bytes = this.inbox.message();
      if (bytes && IN_COPY.includes(typeOf(bytes))) return bytes;
      if (bytes) this.inbox.breach = `unexpected message type ${bytes[0]} during COPY from stdin`;
      if (this.inbox.breach) return message("f", this.inbox.breach);
      if (this.isGone) return message("f", "the client is gone");
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const count = patiently(() => readSync(this.descriptor, chunk));
      this.inbox.push(chunk.subarray(0, count));
      this.isGone = !count;
    }
  }

  /** Writes all of it; where the socket is full, PostgreSQL waits as it would on a server. */
  send(bytes) {
    while (bytes.length && !this.isGone) {
      const rest = bytes;
      const count = patiently(() => writeSync(this.descriptor, rest));
      bytes = rest.subarray(count);
      this.isGone = !count;
      if (this.isGone) cancel();
    }
  }

  /** Says why, and closes. */
  dismiss(code, text, hint) {
    if (!this.isGone) this.socket.write(fatal(code, text, hint));
    this.close();
  }

  close() {
    this.socket.destroySoon();
    this.leave();
  }

  /** Gives the place back as a new session would find it. */
  leave() {
    clearTimeout(this.timer);
    waiting = waiting.filter((client) => client !== this);
    this.isGone = true;
    if (owner !== this) return;
    // The Sync ends an extended query that was left half-way, as nothing else is heard in between,
    // and takes a cancellation that came too late.
    for (const bytes of [SYNC, query("ROLLBACK"), query("DISCARD ALL")]) run(bytes);
    settle();
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

/** A file of PGlite's package; read as such, for the package does not export them. */
const packageFile = (name) => readFileSync(join(options.nodeModules, "@electric-sql/pglite", name));

function loadExtensions(modules) {
  const entries = Object.entries(modules).map(([name, module]) => {
    const [extension] = Object.values(require(module)); // each module exports just this
    return [name, extension];
  });
  return Object.fromEntries(entries);
}

/** As the session says when it begins. */
function postgresVersion() {
  begin(STARTUP);
  const [, version] = /server_version\0([^\0]*)/.exec(output.toString("latin1", 0, answered));
  answered = 0;
  return version;
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
  const db = await PGlite.create({
    dataDir,
    pgliteWasmModule: await wasm,
    postgresqlconf: settings,
    extensions: loadExtensions(extensions),
    onStderr: (text) => process.stderr.write(`${text}\n`),
  });
  stop = () => db.close().then(() => process.exit(0));
  postgres = db.Module;
  postgres._pgl_set_rw_cbs(...[read, write].map((each) => postgres.addFunction(each, "ipi")));
  const ready = {
    pid: process.pid,
    node: process.versions.node,
    pglite: JSON.parse(packageFile("package.json")).version,
    postgres: postgresVersion(),
  };
  createServer((socket) => new Client(socket))
    .on("error", (error) => die(`cannot listen on ${options.socket}: ${error.message}`))
    .listen(options.socket, () => process.stdout.write(`${JSON.stringify(ready)}\n`));
}

// All that needs no data directory is done before there is one: the parent still looks for it.
const wasm = WebAssembly.compile(packageFile("dist/pglite.wasm"));
const { PGlite } = require("@electric-sql/pglite");
obeyParent();
