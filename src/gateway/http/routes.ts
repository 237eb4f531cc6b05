import type { Route } from './route.ts'
import { cluster } from './routes/cluster.ts'
import { events } from './routes/events.ts'
import { groups } from './routes/groups.ts'
import { health } from './routes/health.ts'
import { leader } from './routes/leader.ts'
import { metrics } from './routes/metrics.ts'
import { openapi } from './routes/openapi.ts'
import { produce } from './routes/produce.ts'
import { pull } from './routes/pull.ts'
import { records } from './routes/records.ts'
import { topics } from './routes/topics.ts'

/** Everything that is served over HTTP: one file of `routes/` a resource. */
export const routes: readonly Route[] = [
  ...health,
  ...leader,
  ...topics,
  ...groups,
  ...cluster,
  ...events,
  ...metrics,
  ...records,
  ...produce,
  ...pull,
  openapi(() => routes),
]
