import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { brokerSettings } from '../../src/config/broker-configs.ts'
import { clientMetricsSettings } from '../../src/config/client-metrics-configs.ts'
import { groupSettings } from '../../src/config/group-configs.ts'
import { TOPIC_FALLBACKS, topicSettings } from '../../src/config/topic-configs.ts'

test('docs/configuration.md says what the code says (node scripts/configuration-docs.js writes it)', async () => {
  const page = readFileSync('docs/configuration.md', 'utf8')
  const { withTables } = await import(pathToFileURL('scripts/configuration-docs.js').href)
  const settings = {
    brokerSettings,
    topicSettings,
    topicFallbacks: TOPIC_FALLBACKS,
    groupSettings,
    clientMetricsSettings,
  }
  assert.equal(withTables(page, settings), page)
})
