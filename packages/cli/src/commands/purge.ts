import type { Command } from 'commander'
import type { BrokerHttp } from '../broker-http.ts'
import { type ClientFlags, clientCommand, httpOf, queueName } from '../client-command.ts'
import { confirm } from '../confirm.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { note, print, printJson } from '../terminal.ts'
import { fetchQueues, type QueueRow } from './queues.ts'

const WHAT = `
Ready and delayed tasks are cancelled, durably. Leased tasks go on, as with the
queue.purge of AMQP; end those with sluice cancel. The record of a cancelled
task counts as an outcome: past queueResultsMax it pushes an older one out.`

/** The queue of this name. */
export async function knownQueue(http: BrokerHttp, name: string): Promise<QueueRow> {
  const queue = (await fetchQueues(http)).find((one) => one.name === name)
  if (queue !== undefined) return queue
  throw new CommandError(`There is no queue ${name}. See: sluice queues`, EXIT.failed)
}

/** Repeats a purge until nothing is left to drop. Returns how many tasks were dropped. */
export async function purgeAll(http: BrokerHttp, path: string, target: object): Promise<number> {
  let purged = 0
  for (;;) {
    const answer = await http.post<{ purged: number; more: boolean }>(path, target, 'purged')
    purged += answer.purged
    if (!answer.more || answer.purged === 0) return purged
    note(`${purged} so far.`)
  }
}

export function purgeCommand(): Command {
  return clientCommand('purge', 'drop the tasks of a queue that wait', [
    'sluice purge photos.resize',
    'sluice purge photos.resize --yes --json',
  ])
    .argument('<queue>', 'name of the queue', queueName)
    .option('--yes', 'do not ask')
    .addHelpText('after', WHAT)
    .action(async (queue: string, flags: ClientFlags & { yes?: boolean }) => {
      const http = httpOf(flags)
      const { ready, delayed } = await knownQueue(http, queue)
      await confirm(`Drop ${ready} ready and ${delayed} delayed tasks of ${queue}?`, flags.yes)
      const purged = await purgeAll(http, '/v1/queues/purge', { queue })
      if (flags.json) printJson({ purged })
      else print(`${purged} dropped.`)
    })
}
