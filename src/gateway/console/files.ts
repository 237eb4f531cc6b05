import { fileURLToPath } from 'node:url'
import type { World } from '../../world/world.ts'

/** One file of the web page. */
export interface ConsoleFile {
  readonly type: string
  readonly plain: Uint8Array
  /** Compressed (RFC 7932). */
  readonly brotli: Uint8Array
}

const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/** Seen from the bundle that users have, and from the compiled sources. */
const folders = ['../console/', '../../../console/']

/** The built page, read when somebody looks at it for the first time. */
export class ConsoleFiles {
  readonly #disk: World['disk']
  readonly #known = new Map<string, ConsoleFile>()

  constructor(disk: World['disk']) {
    this.#disk = disk
  }

  /** Null: there is no such file. */
  file(name: string): ConsoleFile | null {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    const folder = folders
      .map(each => fileURLToPath(new URL(each, import.meta.url)))
      .find(each => this.#disk.exists(`${each}index.html`))
    if (type === undefined || folder === undefined) return null
    const file = {
      type,
      plain: this.#disk.readFile(`${folder}${name}`),
      brotli: this.#disk.readFile(`${folder}${name}.br`),
    }
    this.#known.set(name, file)
    return file
  }
}
