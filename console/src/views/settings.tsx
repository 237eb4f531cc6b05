import { useState } from 'preact/hooks'
import { ask, type Config } from '../api.ts'
import { useLive } from '../live.ts'
import { Dialog, Form } from '../parts/dialog.tsx'
import { Filter } from '../parts/filter.tsx'
import { Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { say } from '../parts/toast.tsx'

/** All settings of something; a click changes one. */
export function Settings({ path }: { path: string }) {
  const live = useLive<{ configs: Config[] }>(path, 10_000)
  const [filter, setFilter] = useState('')
  const [changes, setChanges] = useState<Config | null>(null)
  return (
    <>
      <div class="bar">
        <Filter text={filter} set={setFilter} />
      </div>
      <Loaded live={live}>
        {({ configs }) => (
          <Table
            rows={configs.filter(({ name }) => name.includes(filter.toLowerCase()))}
            keyOf={({ name }) => name}
            empty="No name contains that."
            columns={[
              {
                title: 'Name',
                by: ({ name }) => name,
                cell: config =>
                  config.readOnly ? (
                    config.name
                  ) : (
                    <button type="button" class="link" onClick={() => setChanges(config)}>
                      {config.name}
                    </button>
                  ),
              },
              {
                title: 'Value',
                cell: ({ value, sensitive }) => <code>{sensitive ? '(secret)' : (value ?? '–')}</code>,
              },
              {
                title: 'Set by',
                by: ({ source }) => source ?? '',
                cell: ({ source }) => <span class={source === 'default' ? 'faint' : ''}>{source}</span>,
              },
            ]}
          />
        )}
      </Loaded>
      {changes !== null && (
        <Change
          path={path}
          config={changes}
          close={() => {
            setChanges(null)
            live.reload()
          }}
        />
      )}
    </>
  )
}

function Change({ path, config, close }: { path: string; config: Config; close: () => void }) {
  const [value, setValue] = useState(config.value ?? '')
  const change = async (to: string | null) => {
    await ask(path, { method: 'PATCH', body: { [config.name]: to } })
    say(to === null ? `${config.name} is the default again` : `${config.name} is ${to}`)
    close()
  }
  return (
    <Dialog title={config.name} close={close}>
      <Form does="Change" run={() => change(value)}>
        {config.documentation != null && <p>{config.documentation}</p>}
        <label>
          Value
          <input name="value" value={value} onInput={event => setValue(event.currentTarget.value)} />
        </label>
      </Form>
      <Form does="Back to the default" run={() => change(null)}>
        {null}
      </Form>
    </Dialog>
  )
}
