import type { LoadedFault } from './loaded-fault.ts'

interface TaskView {
  history?: { how: string }[]
}

/** Against an estimate from outside, where the broker's own memory was lost with its process. */
export const moreThanLive: LoadedFault['unexplained'] = {
  name: 'rounds with more duplicates than live leases',
  of: ({ duplicates, live }) => (duplicates > live ? duplicates - live : 0),
}

/** Against the broker's own record: each further start of a task needs a lease of it that had ended without an answer. */
export const withoutExpiry: LoadedFault['unexplained'] = {
  name: 'rounds with a duplicate whose lease had not expired',
  async of({ starts }, { broker }) {
    const times = new Map<string, number>()
    for (const { id } of starts) times.set(id, (times.get(id) ?? 0) + 1)
    let unexplained = 0
    for (const [id, count] of times) {
      if (count === 1) continue
      const answer = await fetch(`${broker.httpUrl}/v1/tasks/${id}`)
      const { history = [] } = (await answer.json()) as TaskView
      const ended = history.filter(({ how }) => how === 'lease_expired' || how === 'session_lost').length
      unexplained += Math.max(0, count - 1 - ended)
    }
    return unexplained
  },
}
