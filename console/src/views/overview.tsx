import { useRef } from 'preact/hooks'
import type { Cluster } from '../api.ts'
import { type Live, useMetrics, useRate, useSeries } from '../live.ts'
import { quantile, type Samples, sumOf } from '../metrics.ts'
import { Plot } from '../parts/plot.tsx'
import { Card, Loaded } from '../parts/state.tsx'
import { link } from '../route.ts'
import { brief, bytes, count, ms } from '../show.ts'
import { Compose } from './compose.tsx'

export function Overview({ cluster }: { cluster: Live<Cluster> }) {
  return (
    <>
      <h1>Overview</h1>
      <Loaded live={cluster}>
        {data => (
          <>
            <div class="cards">
              <Card
                title="Nodes that serve"
                value={`${data.serving.length} of ${data.nodes.length}`}
                note={
                  data.controller === null
                    ? 'nobody decides about metadata'
                    : `node ${data.controller} is the controller`
                }
                bad={data.serving.length < data.nodes.length}
              />
              <Card title="Topics" value={count(data.topics)} note={`${count(data.partitions)} partitions`} />
              <Card
                title="Without a leader"
                value={count(data.leaderless)}
                note="partitions that cannot be used"
                bad={data.leaderless > 0}
              />
              <Card
                title="Copies missing"
                value={count(data.underReplicated)}
                note="partitions with copies that are not in sync"
                bad={data.underReplicated > 0}
              />
            </div>
            {data.topics === 0 && <Welcome changed={cluster.reload} />}
          </>
        )}
      </Loaded>
      <Traffic />
    </>
  )
}

/** What goes through the node that answers. */
function Traffic() {
  const { data, error } = useMetrics()
  const before = useRef<{ now: Samples | null; last: Samples | null }>({ now: null, last: null })
  if (data !== null && data !== before.current.now) before.current = { now: data, last: before.current.now }
  const { last } = before.current
  const received = useRate(sumOf(data, 'ottla_received_bytes_total'), data)
  const sent = useRate(sumOf(data, 'ottla_sent_bytes_total'), data)
  const batches = useRate(sumOf(data, 'kafka_server_brokertopicmetrics_messagesin_total'), data)
  const produce = quantile(data, last, 'ottla_request_duration_seconds', { api: 'Produce' }, 0.99)
  const plots = {
    messages: useSeries(batches, data),
    received: useSeries(received, data),
    sent: useSeries(sent, data),
    latency: useSeries(produce === null ? null : produce * 1000, data),
  }
  if (error !== null && data === null) return null
  return (
    <section>
      <h2>This node</h2>
      <div class="plots">
        <Plot title="Messages in / s" series={plots.messages} show={brief} />
        <Plot title="Received / s" series={plots.received} show={bytes} />
        <Plot title="Sent / s" series={plots.sent} show={bytes} />
        <Plot title="Produce, p99" series={plots.latency} show={ms} />
      </div>
    </section>
  )
}

/** Somebody sees an empty broker: one form away from the first message. */
function Welcome({ changed }: { changed: () => void }) {
  return (
    <section class="welcome">
      <div>
        <h2>Nothing here yet: send the first message</h2>
        <Compose
          topic={null}
          sent={topic => {
            changed()
            location.hash = link('topics', topic)
          }}
        />
      </div>
      <div>
        <h2>Or with your own client</h2>
        <p>Any Kafka client works as it is. Its address is</p>
        <pre>{`bootstrap.servers=${location.host}`}</pre>
        <p>or over HTTP:</p>
        <pre>{`curl ${location.origin}/topics/hello/records \\\n  -H 'content-type: application/json' \\\n  -d '{"key": "k", "value": "Hello!"}'`}</pre>
      </div>
    </section>
  )
}
