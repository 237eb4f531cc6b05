import { useState } from 'preact/hooks'
import { ask, type Json, type StoredRecord, topicPath } from '../api.ts'
import { Form } from '../parts/dialog.tsx'
import { say } from '../parts/toast.tsx'
import { textOf } from '../show.ts'

interface ComposeProps {
  /** Null: it is asked for. */
  topic: string | null
  /** What to begin with. */
  like?: StoredRecord
  sent: (topic: string, partition: number, offset: number) => void
}

/** Text that is JSON is sent as it is written; everything else is sent as text. Both are the same bytes. */
const editable = (value: Json): string => textOf(value, 2)

const isBytes = (value: Json | undefined): value is { base64: string } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).join() === 'base64'

/** A new message, or an old one to change and send again. */
export function Compose({ topic, like, sent }: ComposeProps) {
  const [name, setName] = useState(topic ?? 'hello')
  const [key, setKey] = useState(editable(like?.key ?? null))
  const [value, setValue] = useState(editable(like?.value ?? null))
  const [headers, setHeaders] = useState(like === undefined ? '' : headersText(like.headers))
  const [partition, setPartition] = useState(like === undefined ? '' : String(like.partition))
  const run = async () => {
    const record = {
      // What was not changed is sent as it came: text is not the same as bytes that only look like it.
      key: key === editable(like?.key ?? null) && isBytes(like?.key) ? like.key : key === '' ? null : key,
      value: value === editable(like?.value ?? null) && isBytes(like?.value) ? like.value : value,
      headers: parseHeaders(headers),
      ...(partition === '' ? {} : { partition: Number(partition) }),
    }
    const { records } = await ask<{ records: { partition: number; offset: number }[] }>(`${topicPath(name)}/records`, {
      method: 'POST',
      body: { records: [record] },
    })
    const [place] = records
    if (place === undefined) return
    say(`Written to ${name}, partition ${place.partition}, offset ${place.offset}`)
    sent(name, place.partition, place.offset)
  }
  return (
    <Form does="Send" run={run} disabled={name === ''}>
      {topic === null && (
        <label>
          Topic
          <input value={name} name="topic" required onInput={event => setName(event.currentTarget.value)} />
        </label>
      )}
      <label>
        Value
        <textarea
          name="value"
          rows={6}
          value={value}
          placeholder='Hello! or {"id": 1}'
          onInput={event => setValue(event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <label>
          Key
          <input name="key" value={key} placeholder="none" onInput={event => setKey(event.currentTarget.value)} />
        </label>
        <label>
          Partition
          <input
            name="partition"
            type="number"
            min="0"
            value={partition}
            placeholder="by the key"
            onInput={event => setPartition(event.currentTarget.value)}
          />
        </label>
      </div>
      <label>
        Headers, one a line
        <textarea
          name="headers"
          rows={2}
          value={headers}
          placeholder="name: text"
          onInput={event => setHeaders(event.currentTarget.value)}
        />
      </label>
    </Form>
  )
}

function headersText(headers: { [name: string]: Json }): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map(each => `${name}: ${editable(each)}`))
    .join('\n')
}

/** Throws with the line that is wrong. */
function parseHeaders(text: string): { [name: string]: string | string[] } {
  const headers: { [name: string]: string | string[] } = {}
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const at = line.indexOf(':')
    if (at < 1) throw new Error(`A header is written as name: text, not as ${line}`)
    const name = line.slice(0, at).trim()
    const value = line.slice(at + 1).trim()
    const before = headers[name]
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return headers
}
