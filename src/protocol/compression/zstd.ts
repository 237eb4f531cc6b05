import { type Codec, corrupt, tooLarge } from './codec.ts'
import { loadZlib, zlibError } from './gzip.ts'
import { type ZstdFrame, zstdFrames } from './zstd-frames.ts'

/** What decodes one frame, whose content is known to have at most `mostBytes` bytes, and compresses. */
interface Engine {
  compress(bytes: Uint8Array, level: number): Uint8Array
  decompress(frame: Uint8Array, mostBytes: number): Uint8Array
}

/** Zstandard's own default. */
const defaultLevel = 3
/** Of `zlib.constants.ZSTD_c_compressionLevel`, which older Nodes lack. */
const levelParameter = 100

let engine: Engine | null = null

/** Node's own zlib from 22.15 on, WebAssembly before. Must be awaited once before `zstd` is used. */
export async function loadZstd(): Promise<Codec> {
  engine ??= zlibEngine() ?? (await wasmEngine())
  return zstd
}

/** True when `zstd` can be used without waiting. */
export function zstdReady(): boolean {
  engine ??= zlibEngine()
  return engine !== null
}

export const zstd: Codec = {
  type: 'zstd',
  compress: (bytes, level = defaultLevel) => loaded().compress(bytes, level),
  decompress(bytes, maxBytes) {
    const frames = zstdFrames(bytes)
    if (frames.length === 1) return decompressFrame(bytes, frames[0]!, maxBytes)
    const contents: Uint8Array[] = []
    let left = maxBytes
    for (const frame of frames) {
      const content = decompressFrame(bytes, frame, left)
      contents.push(content)
      left -= content.length
    }
    return Buffer.concat(contents)
  },
}

function decompressFrame(bytes: Uint8Array, frame: ZstdFrame, maxBytes: number): Uint8Array {
  if (frame.contentBytes > frame.mostBytes) throw corrupt('zstd: states a size that its blocks cannot hold')
  if (frame.contentBytes > maxBytes) throw tooLarge('zstd', maxBytes)
  const mostBytes = frame.contentBytes >= 0 ? frame.contentBytes : Math.min(maxBytes, frame.mostBytes)
  try {
    return loaded().decompress(bytes.subarray(frame.from, frame.to), mostBytes)
  } catch (error) {
    if (frame.contentBytes < 0 && frame.mostBytes > maxBytes) throw tooLarge('zstd', maxBytes)
    throw zlibError('zstd', error, maxBytes)
  }
}

function loaded(): Engine {
  if (!zstdReady()) throw new Error('zstd is used before loadCompression() was awaited')
  return engine!
}

/** The part of newer Nodes' zlib that our types do not know. */
interface ZlibWithZstd {
  zstdCompressSync?(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
}

function zlibEngine(): Engine | null {
  const { zstdCompressSync, zstdDecompressSync } = loadZlib() as ZlibWithZstd
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return null
  return {
    compress: (bytes, level) => zstdCompressSync(bytes, { params: { [levelParameter]: level } }),
    decompress: (frame, mostBytes) => zstdDecompressSync(frame, { maxOutputLength: Math.max(1, mostBytes) }),
  }
}

async function wasmEngine(): Promise<Engine> {
  const wasm = await import('@bokuweb/zstd-wasm')
  await wasm.init()
  return {
    compress: (bytes, level) => wasm.compress(bytes, level),
    // The heap is of use only where the frame states no size; stated sizes have been checked against the blocks.
    decompress: (frame, mostBytes) => wasm.decompress(frame, { defaultHeapSize: Math.max(1, mostBytes) }),
  }
}
