import type { Json, StoredRecord } from '../api.ts'
import { say } from '../parts/toast.tsx'
import { textOf } from '../show.ts'

const pretty = (value: Json): string => (value === null ? 'null' : textOf(value, 2))

/** Everything about one message. */
export function RecordView({ record, again }: { record: StoredRecord; again: () => void }) {
  const { key, value, headers, timestamp, partition, offset } = record
  const copy = async () => {
    await navigator.clipboard.writeText(JSON.stringify(record, null, 2))
    say('Copied')
  }
  return (
    <div class="record">
      <dl>
        <div>
          <dt>Time</dt>
          <dd>{new Date(timestamp).toISOString()}</dd>
        </div>
        <div>
          <dt>Partition, offset</dt>
          <dd>
            {partition}, {offset}
          </dd>
        </div>
        <div>
          <dt>Key</dt>
          <dd>
            <code>{pretty(key)}</code>
          </dd>
        </div>
        {Object.entries(headers).map(([name, header]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{textOf(header)}</code>
            </dd>
          </div>
        ))}
      </dl>
      <pre>{pretty(value)}</pre>
      <div class="bar">
        <button type="button" onClick={again}>
          Edit and send again
        </button>
        <button type="button" class="quiet" onClick={copy}>
          Copy as JSON
        </button>
      </div>
    </div>
  )
}
