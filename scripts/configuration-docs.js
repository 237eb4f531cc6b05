// Writes the tables of docs/configuration.md from the declarations in src/config/.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const page = new URL('../docs/configuration.md', import.meta.url)
const begin = '<!-- tables: written by scripts/configuration-docs.js -->'

/** The page as it should be, given the page as it is and the built declarations. */
export function withTables(
  text,
  { brokerSettings, topicSettings, topicFallbacks, groupSettings, clientMetricsSettings },
) {
  const head = text.slice(0, text.indexOf(begin) + begin.length)
  const parts = [
    head,
    '',
    section('Broker settings', brokerSettings, () => ''),
    section('Topic settings', topicSettings, name => fallback(topicFallbacks[name])),
    section('Group settings', groupSettings, () => ''),
    section('Client metrics settings', clientMetricsSettings, () => ''),
  ]
  return parts.join('\n')
}

function section(title, settings, more) {
  const documented = Object.entries(settings).filter(([, setting]) => !setting.internal)
  const lines = [`## ${title}`, '']
  for (const [status, heading] of [
    ['honoured', 'Honoured'],
    ['read-only', 'Read-only'],
    ['ignored', 'Ignored'],
  ]) {
    const those = documented.filter(([, setting]) => setting.status === status)
    if (those.length === 0) continue
    lines.push(
      `### ${heading}`,
      '',
      '| setting | type | default | values | changes at run time | what |',
      '|---|---|---|---|---|---|',
    )
    for (const [name, setting] of those.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const update =
        title === 'Broker settings'
          ? { never: '', 'cluster-wide': 'yes', 'per-broker': 'per broker' }[setting.update]
          : 'yes'
      lines.push(
        `| \`${name}\` | ${setting.type} | ${shown(setting.default)} | ${setting.valid?.describe ?? ''} | ${update} | ${setting.doc}${more(name)} |`,
      )
    }
    lines.push('')
  }
  return lines.join('\n')
}

function shown(value) {
  if (value === null) return ''
  if (value === '') return '(empty)'
  if (value === '9223372036854775807') return 'no limit'
  // Long lists would widen every row of the table.
  return `\`${value.length > 40 ? `${value.slice(0, 37)}…` : value}\``
}

function fallback(names) {
  if (names === undefined) return ''
  return ` Falls back to ${names.map(({ name }) => `\`${name}\``).join(', ')}.`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = '../dist/src/config/'
  const { brokerSettings } = await import(`${dist}broker-configs.js`)
  const { topicSettings, TOPIC_FALLBACKS } = await import(`${dist}topic-configs.js`)
  const { groupSettings } = await import(`${dist}group-configs.js`)
  const { clientMetricsSettings } = await import(`${dist}client-metrics-configs.js`)
  const settings = {
    brokerSettings,
    topicSettings,
    topicFallbacks: TOPIC_FALLBACKS,
    groupSettings,
    clientMetricsSettings,
  }
  const text = readFileSync(page, 'utf8')
  writeFileSync(page, withTables(text, settings))
}
