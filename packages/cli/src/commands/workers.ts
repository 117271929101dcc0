import { styleText } from 'node:util'
import type { Labels } from '@sluice/protocol'
import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { type ClientFlags, clientCommand, httpOf } from '../client-command.ts'
import { type Column, tableLines } from '../table.ts'
import { print, printJson, terminalWidth } from '../terminal.ts'

/** A worker as GET /v1/workers shows it. */
export interface WorkerRow {
  id: string
  name: string
  /** A broker of before there were labels leaves them out. */
  labels?: Labels
  connected: boolean
  credit: number
  leased: number
  queues: string[]
}

const COLUMNS: readonly Column<WorkerRow>[] = [
  { title: 'WORKER', of: ({ id }) => id },
  { title: 'NAME', of: ({ name }) => (name === '' ? '–' : name), cut: 'middle', drop: 2 },
  {
    title: 'STATE',
    of: ({ connected }) => (connected ? 'connected' : 'away'),
    paint: (text, { connected }) => (connected ? text : styleText('yellow', text)),
  },
  { title: 'LEASED', of: ({ leased }) => leased },
  { title: 'CREDIT', of: ({ credit }) => credit, drop: 3 },
  { title: 'QUEUES', of: ({ queues }) => queues.join(', '), cut: 'end', drop: 1 },
  { title: 'LABELS', of: ({ labels }) => labelsText(labels), cut: 'end', drop: 4 },
]

function labelsText(labels: Labels = {}): string {
  const texts = Object.entries(labels).map(([name, value]) => (value === '' ? name : `${name}=${value}`))
  return texts.length === 0 ? '–' : texts.join(', ')
}

export function workerLines(workers: readonly WorkerRow[], width: number): string[] {
  if (workers.length > 0) return tableLines(COLUMNS, workers, width)
  return ['No workers. Start one: sluice worker ./tasks.ts']
}

export async function allWorkers(http: BrokerHttp): Promise<WorkerRow[]> {
  const workers: WorkerRow[] = []
  let next: string | undefined
  do {
    const after = next === undefined ? '' : `&after=${next}`
    const page = await http.get<{ workers: WorkerRow[]; next?: string }>(`/v1/workers?limit=1000${after}`, 'workers')
    workers.push(...page.workers)
    next = page.next
  } while (next !== undefined)
  return workers
}

export function workersCommand(): Command {
  return clientCommand('workers', 'list the workers: what they hold, and from which queues', [
    'sluice workers',
    'sluice workers --json | jq .workers[].name',
  ]).action(async (flags: ClientFlags) => {
    const workers = await allWorkers(httpOf(flags))
    if (flags.json) printJson({ workers })
    else for (const line of workerLines(workers, terminalWidth())) print(line)
  })
}
