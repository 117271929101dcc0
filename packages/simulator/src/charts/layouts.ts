import type { ObservedMachine } from '@sluice/machines/states'
import type { ChartLayout } from './layout.ts'
import broker from './layouts/broker.json' with { type: 'json' }
import connection from './layouts/connection.json' with { type: 'json' }
import outboxItem from './layouts/outboxItem.json' with { type: 'json' }
import producer from './layouts/producer.json' with { type: 'json' }
import session from './layouts/session.json' with { type: 'json' }
import task from './layouts/task.json' with { type: 'json' }
import worker from './layouts/worker.json' with { type: 'json' }
import workerSlot from './layouts/workerSlot.json' with { type: 'json' }

/** The chart of every machine. */
export const CHART_LAYOUTS = {
  connection,
  producer,
  worker,
  workerSlot,
  outboxItem,
  session,
  broker,
  task,
} as unknown as Readonly<Record<ObservedMachine, ChartLayout>>
