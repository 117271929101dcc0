import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { type ClientFlags, clientCommand, httpOf } from '../client-command.ts'
import { type Column, tableLines } from '../table.ts'
import { print, printJson, terminalWidth } from '../terminal.ts'

/** A queue as GET /v1/queues shows it. */
export interface QueueRow {
  name: string
  ready: number
  delayed: number
  leased: number
  succeeded: number
  dead: number
  cancelled: number
  workers: number
  drainPerSecond: number
}

const COLUMNS: readonly Column<QueueRow>[] = [
  { title: 'QUEUE', of: ({ name }) => name, cut: 'middle' },
  { title: 'READY', of: ({ ready }) => ready },
  { title: 'DELAYED', of: ({ delayed }) => delayed, drop: 5 },
  { title: 'LEASED', of: ({ leased }) => leased, drop: 2 },
  { title: 'DONE', of: ({ succeeded }) => succeeded, drop: 3 },
  {
    title: 'DEAD',
    of: ({ dead }) => dead,
    drop: 1,
    paint: (text, { dead }) => (dead > 0 ? styleText('red', text) : text),
  },
  {
    title: 'WORKERS',
    of: ({ workers }) => workers,
    drop: 4,
    paint: (text, row) => (row.workers === 0 && row.ready > 0 ? styleText('yellow', text) : text),
  },
  { title: 'PER SEC', of: ({ drainPerSecond }) => Math.round(drainPerSecond * 10) / 10, drop: 6 },
]

export async function fetchQueues(http: BrokerHttp): Promise<QueueRow[]> {
  const { queues } = await http.get<{ queues: QueueRow[] }>('/v1/queues', 'queues')
  return queues.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function queueLines(queues: readonly QueueRow[], width: number): string[] {
  if (queues.length > 0) return tableLines(COLUMNS, queues, width)
  return ["No queues yet: the first task makes one. Try: sluice submit hello '{}'"]
}

export function queuesCommand(): Command {
  return clientCommand('queues', 'list the queues and what is in them', [
    'sluice queues',
    'sluice queues --json | jq .queues[0].ready',
  ]).action(async (flags: ClientFlags) => {
    const queues = await fetchQueues(httpOf(flags))
    if (flags.json) printJson({ queues })
    else for (const line of queueLines(queues, terminalWidth())) print(line)
  })
}
