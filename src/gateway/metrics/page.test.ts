import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFor, type MetricsFormat, MetricsPage } from './page.ts'
import { parseMetrics } from './parse.test.kit.ts'

const formats: readonly MetricsFormat[] = ['prometheus', 'openmetrics']

function page(format: MetricsFormat): string {
  const page = new MetricsPage(format)
  page
    .gauge('temperature', 'How "warm" it is,\nin C:\\')
    .add(-1.5, { place: 'a"b\\c\nd' })
    .add(Number.POSITIVE_INFINITY)
  page.counter('requests_total', 'Requests').add(7)
  page.gauge('nothing', 'Without values')
  page
    .histogram('seconds', 'Times')
    .add({ bounds: [0.5, 1], counts: [1, 0, 2], sum: 9.25 }, { api: 'x' })
    .add({ bounds: [0.5, 1], counts: new Float64Array(3), sum: 0 }, { api: 'y' })
  return page.text()
}

test('the older format', () => {
  assert.equal(
    page('prometheus'),
    `# HELP temperature How "warm" it is,\\nin C:\\\\
# TYPE temperature gauge
temperature{place="a\\"b\\\\c\\nd"} -1.5
temperature +Inf
# HELP requests_total Requests
# TYPE requests_total counter
requests_total 7
# HELP seconds Times
# TYPE seconds histogram
seconds_bucket{api="x",le="0.5"} 1
seconds_bucket{api="x",le="1.0"} 1
seconds_bucket{api="x",le="+Inf"} 3
seconds_sum{api="x"} 9.25
seconds_count{api="x"} 3
seconds_bucket{api="y",le="0.5"} 0
seconds_bucket{api="y",le="1.0"} 0
seconds_bucket{api="y",le="+Inf"} 0
seconds_sum{api="y"} 0
seconds_count{api="y"} 0
`,
  )
})

test('OpenMetrics', () => {
  const text = page('openmetrics')
  assert.match(text, /^# HELP temperature How \\"warm\\" it is/)
  assert.match(text, /\n# TYPE requests counter\nrequests_total 7\n/)
  assert.match(text, /\n# EOF\n$/)
})

test('both are read as they were meant', () => {
  for (const format of formats) {
    const families = parseMetrics(page(format), format)
    const name = format === 'openmetrics' ? 'requests' : 'requests_total'
    assert.deepEqual([...families.keys()], ['temperature', name, 'seconds'])
    assert.deepEqual(families.get('temperature')!.samples[0], {
      name: 'temperature',
      labels: { place: 'a"b\\c\nd' },
      value: -1.5,
    })
    assert.equal(families.get('temperature')!.help, 'How "warm" it is,\nin C:\\')
  }
})

test('a page refuses what could not be read', () => {
  const page = new MetricsPage('prometheus')
  page.gauge('a', '')
  assert.throws(() => page.gauge('a', ''), /twice/)
  assert.throws(() => page.counter('a_total', ''), /twice/)
  assert.throws(() => page.counter('b', ''), /_total/)
})

test('the parser is strict', () => {
  const head = '# HELP a A\n# TYPE a gauge\n'
  const wrong = [
    'a 1\n',
    `${head}a 1`,
    `${head}b 1\n`,
    `${head}a 1\na 1\n`,
    `${head}a{x="1",x="2"} 1\n`,
    `${head}a{x="\\q"} 1\n`,
    `${head}a one\n`,
    `${head}a  1\n`,
    `${head}a 1\n${head}a{x="1"} 1\n`,
    '# TYPE a gauge\na 1\n',
    head,
    `${head}\na 1\n`,
    '# HELP a A\n# TYPE a counter\na -1\n',
    '# HELP a A\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ]
  for (const text of wrong) assert.throws(() => parseMetrics(text, 'prometheus'), Error, text)
  assert.throws(() => parseMetrics(`${head}a 1\n`, 'openmetrics'), /EOF/)
})

test('the format that is asked for', () => {
  const prometheus = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'
  const cases: [string | null, MetricsFormat][] = [
    [null, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    [prometheus, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; Version=0.0.1', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'prometheus'],
    ['application/openmetrics-text;q=0, text/plain', 'prometheus'],
  ]
  for (const [accept, format] of cases) assert.equal(formatFor(accept), format, String(accept))
})
