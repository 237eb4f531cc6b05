/** One `key=value` of a Java properties file, with the line where it begins (from 1). */
export interface Property {
  readonly key: string
  readonly value: string
  readonly line: number
}

/**
 * Reads Java's properties format: `key=value`, `key: value` or `key value`; `#` and `!` begin comments; a backslash at the
 * end of a line continues it; `\t \n \r \f \uXXXX` and `\` before any other character are escapes.
 */
export function readProperties(text: string): Property[] {
  const properties: Property[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1
    let logical = lines[i]!.trimStart()
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue
    while (continues(logical) && i + 1 < lines.length) logical = logical.slice(0, -1) + lines[++i]!.trimStart()
    if (continues(logical)) logical = logical.slice(0, -1)
    const [key, value] = halves(logical)
    properties.push({ key: unescaped(key), value: unescaped(value), line })
  }
  return properties
}

/** An odd number of backslashes at the end: the last one is not itself escaped. */
function continues(line: string): boolean {
  return (/\\+$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

/** The key ends at the first `=`, `:` or blank that has no backslash before it. */
function halves(line: string): [string, string] {
  const key = /^(?:\\.|[^\\=:\s])*/.exec(line)![0]
  const value = line.slice(key.length).replace(/^\s*[=:]?\s*/, '')
  return [key, value]
}

const ESCAPES: { readonly [letter: string]: string } = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, code: string) =>
    code.length === 5 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  )
}
