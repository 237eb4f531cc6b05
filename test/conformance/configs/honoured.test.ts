import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { brokerSettings } from '../../../src/config/broker-configs.ts'
import type { Setting } from '../../../src/config/definition.ts'
import { TOPIC_FALLBACKS, topicSettings } from '../../../src/config/topic-configs.ts'

/** Every name in quotes in the code that could read a setting. */
function namesIn(folder: string): Set<string> {
  const names = new Set<string>()
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    const declares = /config\/(broker\/|[a-z-]*-configs\.ts$)/.test(path)
    if (!entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts') || declares) continue
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/'([a-z][a-z0-9.]+)'/g)) names.add(name!)
  }
  return names
}

test('a setting that is called honoured is read by somebody', () => {
  const read = namesIn('src')
  const ownTopic = Object.entries(topicSettings as Record<string, Setting<unknown>>)
  const unread = ownTopic.filter(([name, setting]) => setting.status === 'honoured' && !read.has(name))
  assert.deepEqual(
    unread.map(([name]) => name),
    [],
    'topic settings',
  )
  // A broker setting may also be read as the default of a topic's.
  for (const [topic, fallbacks] of Object.entries(TOPIC_FALLBACKS)) {
    if (read.has(topic)) for (const { name } of fallbacks) read.add(name)
  }
  const broker = Object.entries(brokerSettings as Record<string, Setting<unknown>>)
  const forgotten = broker.filter(([name, setting]) => setting.status === 'honoured' && !read.has(name))
  assert.deepEqual(
    forgotten.map(([name]) => name),
    [],
    'broker settings',
  )
})
