/**
 * Everything that an ottla node can touch outside of its own memory. Node's adapter is in `node.ts` beside this file;
 * the simulator brings its own. Nothing above this folder may reach a clock, a die, a disk or a socket in any other way.
 */
export interface World {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly disk: Disk
  readonly net: Net
}

export interface Clock {
  /** Wall clock, ms since 1970. May jump in both directions: for timestamps in records, never for time-outs. */
  now(): number
  /** Monotonic, ms with fraction, from an arbitrary origin: for durations and deadlines. */
  mono(): number
}

export interface Timer {
  cancel(): void
}

export interface Timers {
  /** Calls `run` once, not before `ms` have passed. A timer does not keep the process alive, unless it is a `keeper`. */
  after(ms: number, run: () => void, keeper?: boolean): Timer
  /** Calls `run` when all input of this turn of the event loop has been handled. Cheap; order is kept. */
  soon(run: () => void): void
}

export interface Random {
  /** An integer, evenly spread over [0, below). */
  int(below: number): number
  /** `count` bytes fit for secrets and ids. */
  bytes(count: number): Uint8Array
}

/**
 * A file system. Synchronous where the call ends in the page cache (measured: cheaper than a trip through a thread pool),
 * a promise where the device is waited for. Errors are Node's, with `code` (`ENOENT`, `ENOSPC`, …).
 */
export interface Disk {
  /** `create` opens for reading and writing and makes the file when it is missing. */
  open(path: string, mode: 'read' | 'write' | 'create'): File
  /** Names in a folder, sorted. Throws ENOENT when there is none. */
  list(path: string): string[]
  exists(path: string): boolean
  /** Bytes; throws ENOENT. */
  size(path: string): number
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** As `remove`, off the event loop: to give a gigabyte back takes a third of a second. None is fine. */
  removeLater(path: string): Promise<void>
  /** A folder with everything below it; none is fine. */
  removeTree(path: string): void
  readFile(path: string): Buffer
  /** Not durable and not atomic: for what can be rebuilt. */
  writeFile(path: string, bytes: Uint8Array | string): void
  /** Atomic and durable: writes beside it, syncs, renames, syncs the folder. `mode` are permission bits. */
  replaceFile(path: string, bytes: Uint8Array | string, mode?: number): Promise<void>
  /** Makes names in a folder (creations, renames, removals) durable. */
  syncDirectory(path: string): Promise<void>
  /** Bytes free for us, and in all, on the file system of `path`. */
  space(path: string): { free: number; total: number }
  /** Exclusive until released or the process ends. Returns null when somebody else holds it. */
  lock(path: string): Lock | null
}

export interface Lock {
  release(): void
}

export interface File {
  /** Appends in one vectored write; returns when all bytes are in the page cache, or throws (then any prefix may be there). */
  write(chunks: readonly Uint8Array[], position: number): void
  /** Fills `into` from `position` as far as the file goes; returns the bytes read. From page cache or device, blocking. */
  read(into: Uint8Array, position: number): number
  /** As `read`, without blocking the event loop. */
  readLater(into: Uint8Array, position: number): Promise<number>
  /** Everything written before the call is on stable storage when the promise is fulfilled (fdatasync). Never retry a failed one. */
  sync(): Promise<void>
  truncate(length: number): void
  size(): number
  close(): void
}

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Net {
  /** Rejects with EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  listen(address: Address, accept: (socket: Socket) => void): Promise<Listener>
  connect(address: Address): Promise<Socket>
  /** At which other machines may reach this one, the likeliest first; empty when there is no network. */
  addresses(): readonly string[]
}

export interface Listener {
  readonly address: Address
  /** Stops listening; open connections stay. */
  close(): Promise<void>
}

/** A stream of bytes in both directions. Callbacks are set once, right after it was got. */
export interface Socket {
  /** The address at which the peer reached us. */
  readonly local: Address
  readonly remote: Address
  /**
   * Where incoming bytes go. `space` hands out memory to be filled; `data` says that the first `bytes` of the memory
   * last handed out are filled now. Both are called synchronously, one after the other.
   */
  receive(into: { space(): Uint8Array; data(bytes: number): void; end(): void }): void
  /** Queues chunks, in one vectored write. They must not change until `sent` is called, also when the connection ends. */
  write(chunks: readonly Uint8Array[], sent?: () => void): void
  /** Bytes that were written but not yet taken by the operating system. */
  readonly unsent: number
  onDrain(run: () => void): void
  /** Called once, however the connection ended. */
  onClose(run: (error: Error | null) => void): void
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}
