import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** What is loaded with a module, before anything of it runs. */
function loadedWith(module: URL, loaded = new Set<string>()): Set<string> {
  if (loaded.has(module.href)) return loaded
  loaded.add(module.href)
  const code = readFileSync(module, 'utf8')
  for (const [, specifier = ''] of code.matchAll(/^(?:import|export)\b(?:[^'"=(]* from )? ?['"]([^'"]+)['"]/gm)) {
    if (specifier.startsWith('.')) loadedWith(new URL(specifier, module), loaded)
    else loaded.add(specifier)
  }
  return loaded
}

test('a node starts without its doors', () => {
  const loaded = [...loadedWith(new URL('../../src/node.js', import.meta.url))]
  assert.ok(loaded.length > 100, `${loaded.length} modules`)
  assert.deepEqual(
    loaded.filter(name => /\/gateway\//.test(name) || /^node:(http|http2|https|zlib)$/.test(name)),
    [],
  )
})
