/**
 * Cuts length-prefixed frames out of a stream of bytes.
 *
 * Bytes are received into slabs and a frame is a view of its slab: what a producer sends is not copied before it is
 * written to disk. Only the part of a frame that crosses the end of its slab is moved. A slab is used again when nobody
 * kept a view of it. It grows with the bytes that really came, never with a length that was only declared.
 */
export interface FrameSink {
  /** One frame without its length. True when no view of it outlives the call. */
  frame(bytes: Buffer): boolean
  /** The stream is not Kafka's protocol or the frame is too large; nothing more will be cut. */
  refuse(reason: string): void
  /** False holds a frame of so many bytes, and those behind it, back until `resume` is called. */
  ready(bytes: number): boolean
}

const smallestSlab = 4 * 1024
const largestSlab = 1024 * 1024
const nothing = Buffer.alloc(0)

export class FrameReader {
  readonly #sink: FrameSink
  readonly #limit: number
  #slab: Buffer = Buffer.allocUnsafeSlow(smallestSlab)
  /** Where the first byte stands that is not cut yet, and where the next one will be received. */
  #start = 0
  #end = 0
  /** Somebody holds a view of the present slab. */
  #held = false
  /** Bytes to aim at for the next slab: follows what lately came at once. */
  #appetite = smallestSlab
  #refused = false

  /** `limit`: the largest frame, bytes (`socket.request.max.bytes`). */
  constructor(sink: FrameSink, limit: number) {
    this.#sink = sink
    this.#limit = limit
  }

  /** Memory for the next bytes. Never empty. */
  space(): Uint8Array {
    const pending = this.#end - this.#start
    const frame = this.#frameBytes()
    if (!this.#suits(pending, frame)) this.#move(pending, frame)
    return this.#slab.subarray(this.#end)
  }

  /** Whether the next bytes can go behind the last ones. */
  #suits(pending: number, frame: number): boolean {
    const { length } = this.#slab
    const free = length - this.#end
    if (free === 0 || this.#start + frame > length) return false
    if (pending === 0 && !this.#held) return this.#start === 0 && !this.#oversized(this.#appetite)
    return free >= Math.min(this.#appetite, length) >> 2 || free >= frame - pending
  }

  #oversized(size: number): boolean {
    return this.#slab.length > 4 * size
  }

  /** Bytes of the frame that has begun, with its length; 4 when even that is not known. */
  #frameBytes(): number {
    return this.#end - this.#start < 4 ? 4 : 4 + Math.max(0, this.#slab.readInt32BE(this.#start))
  }

  #move(pending: number, frame: number): void {
    // A large frame is believed step by step: at most four times of what has come.
    const believed = Math.min(frame, Math.max(smallestSlab, pending * 4))
    const size = Math.max(this.#appetite, believed, pending + 512)
    const reuse = !this.#held && size <= this.#slab.length && !this.#oversized(size)
    const target = reuse ? this.#slab : Buffer.allocUnsafeSlow(size)
    this.#slab.copy(target, 0, this.#start, this.#end)
    this.#slab = target
    this.#start = 0
    this.#end = pending
    this.#held = false
  }

  data(bytes: number): void {
    this.#end += bytes
    if (this.#end === this.#slab.length) this.#appetite = Math.min(largestSlab, this.#slab.length * 4)
    else if (bytes < this.#appetite >> 4)
      this.#appetite = Math.max(smallestSlab, this.#appetite - (this.#appetite >> 5))
    this.resume()
  }

  /** Goes on cutting, after `ready` was false. */
  resume(): void {
    while (!this.#refused && this.#end - this.#start >= 4) {
      const length = this.#slab.readInt32BE(this.#start)
      if (!this.#sink.ready(length)) return
      if (length < 0 || length > this.#limit) {
        this.#refused = true
        this.#sink.refuse(
          length < 0 ? `a frame of ${length} bytes` : `a frame of ${length} bytes; the limit is ${this.#limit}`,
        )
        return
      }
      const from = this.#start + 4
      if (this.#end < from + length) return
      this.#start = from + length
      if (!this.#sink.frame(this.#slab.subarray(from, this.#start))) this.#held = true
    }
  }

  /** Bytes that the next frame says it has; 0: it has not begun. */
  get next(): number {
    return this.#frameBytes() - 4
  }

  /** Whether what is not cut yet looks like something. */
  beginsWith(looks: (bytes: Uint8Array) => boolean): boolean {
    return looks(this.#slab.subarray(this.#start, this.#end))
  }

  /** What came and is not cut yet, for somebody else: nothing more will be cut here. */
  surrender(): Buffer {
    const rest = this.#slab.subarray(this.#start, this.#end)
    this.#refused = true
    this.#slab = nothing
    this.#start = 0
    this.#end = 0
    return rest
  }

  /** Bytes of memory held for what is not cut yet. */
  get buffered(): number {
    return this.#slab.length
  }
}
