/** Frames written by the reference libraries (liblz4 and libzstd, by way of Python's `lz4` and `zstandard`). */

const otter = 'The quick brown ottla floats on the Vltava. '.repeat(40)
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'.repeat(4000).slice(0, 140000)

export const lz4Frames: readonly { kind: string; content: string; hex: string }[] = [
  {
    kind: 'linked, 64 KiB, content checksum',
    content: otter,
    hex: '04224d186440a73d000000ff1d54686520717569636b2062726f776e206f74746c6120666c6f617473206f6e2074686520566c746176612e202c00ffffffffffffa2506176612e2000000000e48bbcdc',
  },
  {
    kind: 'independent, block checksums, content size',
    content: otter,
    hex: '04224d187840e006000000000000893d000000ff1d54686520717569636b2062726f776e206f74746c6120666c6f617473206f6e2074686520566c746176612e202c00ffffffffffffa2506176612e20c7cd2bfc00000000',
  },
  {
    kind: 'high compression, 4 MiB',
    content: otter,
    hex: '04224d186040823d000000ff1d54686520717569636b2062726f776e206f74746c6120666c6f617473206f6e2074686520566c746176612e202c00ffffffffffffa2506176612e2000000000',
  },
  {
    kind: 'linked over three blocks',
    content: alphabet,
    hex: '04224d1844405e2f010000ff15303132333435363738396162636465666768696a6b6c6d6e6f707172737475767778797a2400ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc45062636465660a0100000ff0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe85072737475762c0000000f2400ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffea5072737475760000000025a9f840',
  },
]

export const zstdFrames: readonly { kind: string; content: string; hex: string }[] = [
  {
    kind: 'stated size and checksum',
    content: otter,
    hex: '28b52ffd64e005ad0100c40254686520717569636b2062726f776e206f74746c6120666c6f617473206f6e2074686520566c746176612e2001008cf5fdaa0c0479f210',
  },
  {
    kind: 'streamed, no stated size',
    content: otter,
    hex: '28b52ffd0458ad0100c40254686520717569636b2062726f776e206f74746c6120666c6f617473206f6e2074686520566c746176612e2001008cf5fdaa0c0479f210',
  },
]
