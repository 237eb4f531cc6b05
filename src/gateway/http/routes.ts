import type { Route } from './route.ts'
import { cluster } from './routes/cluster.ts'
import { consoleRoutes } from './routes/console.ts'
import { events } from './routes/events.ts'
import { groups } from './routes/groups.ts'
import { health } from './routes/health.ts'
import { leader } from './routes/leader.ts'
import { leaseGroups } from './routes/lease-groups.ts'
import { metrics } from './routes/metrics.ts'
import { openapi } from './routes/openapi.ts'
import { produce } from './routes/produce.ts'
import { pull } from './routes/pull.ts'
import { records } from './routes/records.ts'
import { searches } from './routes/search.ts'
import { topics } from './routes/topics.ts'

/** Everything that is served over HTTP: one file of `routes/` a resource. */
export const routes: readonly Route[] = [
  ...health,
  ...leader,
  ...topics,
  ...groups,
  ...cluster,
  ...records,
  ...searches,
  ...produce,
  ...pull,
  ...leaseGroups,
  ...events,
  ...metrics,
  ...consoleRoutes,
  openapi(() => routes),
]
