import type { TaskFailure } from '@sluice/protocol'
import { Command } from 'commander'
import { cutTo, printable, widthOf } from '../cells.ts'
import {
  type ClientFlags,
  clientCommand,
  exampleHelp,
  httpOf,
  queueName,
  taskId,
  wholeNumber,
} from '../client-command.ts'
import { durationText } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { type Column, tableLines } from '../table.ts'
import { note, print, printJson, terminalWidth } from '../terminal.ts'
import type { AttemptView } from './status.ts'

interface DeadView {
  id: string
  queue: string
  reason: string
  error?: TaskFailure
  attempts: number
  history: AttemptView[]
  ageMs: number
}

const COLUMNS: readonly Column<DeadView>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'QUEUE', of: ({ queue }) => queue, cut: 'middle', drop: 1 },
  { title: 'TRIES', of: ({ attempts }) => attempts, drop: 2 },
  { title: 'AGE', of: ({ ageMs }) => durationText(ageMs), drop: 3 },
]
const WHY: Column<DeadView> = { title: 'WHY', of: whyOf }

const PAGE_MAX = 1000

function whyOf({ reason, error }: DeadView): string {
  return error?.message ?? reason
}

/** A table, with the reasons below their rows where they do not fit into the terminal beside them. */
export function deadLines(letters: readonly DeadView[], width: number): string[] {
  const table = tableLines([...COLUMNS, WHY], letters, Number.POSITIVE_INFINITY)
  if (table.every((line) => widthOf(line) <= width)) return table
  const [titles = '', ...rows] = tableLines(COLUMNS, letters, width)
  const reasons = letters.map((letter) => cutTo(`  ${printable(whyOf(letter))}`, width))
  return [titles, ...rows.flatMap((row, index) => [row, reasons[index] as string])]
}

function listCommand(): Command {
  return clientCommand('list', 'list dead letters with the reason of each', [
    'sluice dead list --queue photos.resize',
    'sluice dead list --json | jq -r .tasks[].id',
  ])
    .option('--queue <name>', 'of this queue only', queueName)
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, PAGE_MAX), 100)
    .option('--after <id>', 'those behind this one: the next page', taskId)
    .action(async (flags: ClientFlags & { queue?: string; limit: number; after?: string }) => {
      const query = new URLSearchParams({ limit: String(flags.limit) })
      if (flags.queue !== undefined) query.set('queue', flags.queue)
      if (flags.after !== undefined) query.set('after', flags.after)
      const page = await httpOf(flags).get<{ tasks: DeadView[]; next?: string }>(`/v1/dead?${query}`, 'tasks')
      if (flags.json) {
        printJson(page)
        return
      }
      if (page.tasks.length === 0) {
        note('No dead letters.')
        return
      }
      for (const line of deadLines(page.tasks, terminalWidth())) print(line)
      if (page.next === undefined) return
      const ofQueue = flags.queue === undefined ? '' : ` --queue ${flags.queue}`
      note(`More: sluice dead list${ofQueue} --after ${page.next}`)
    })
}

function redriveCommand(): Command {
  return clientCommand('redrive', 'make dead letters ready again, with all their attempts', [
    'sluice dead redrive --queue photos.resize',
    'sluice dead redrive 0199a7c2-6f0e-7c3a-9d55-0242ac120002',
  ])
    .argument('[id...]', 'ids of dead letters')
    .option('--queue <name>', 'all of this queue', queueName)
    .action(async (ids: string[], flags: ClientFlags & { queue?: string }) => {
      ids.forEach(taskId)
      if (ids.length > 0 === (flags.queue !== undefined)) {
        throw new CommandError('Name dead letters by id, or all of a queue with --queue; not both.', EXIT.usage)
      }
      const named = [...new Set(ids)]
      const target = flags.queue === undefined ? { ids: named } : { queue: flags.queue }
      const { redriven } = await httpOf(flags).post<{ redriven: number }>('/v1/dead/redrive', target, 'redriven')
      if (flags.json) printJson({ redriven })
      else print(`${redriven} ready again.`)
      if (redriven < named.length) {
        throw new CommandError(
          `${named.length - redriven} of ${named.length} are no dead letters, or have a full queue. See: sluice dead list, sluice queues`,
          EXIT.failed,
        )
      }
    })
}

export function deadCommand(): Command {
  return new Command('dead')
    .description('list dead letters, or make them ready again')
    .addCommand(listCommand())
    .addCommand(redriveCommand())
    .addHelpText('after', exampleHelp(['sluice dead list', 'sluice dead redrive --queue photos.resize']))
}
