import type { Seen } from './fold.ts'

type Appending = Extract<Seen, { type: 'appending' }>
type Event = Appending['events'][number]
type DetailType = 'attemptFailed' | 'leaseReleased' | 'taskDied' | 'taskCancelled'
type Detail = Extract<Event, { type: DetailType }>

const DETAILS: ReadonlySet<Event['type']> = new Set<DetailType>([
  'attemptFailed',
  'leaseReleased',
  'taskDied',
  'taskCancelled',
])

/** What the journal says of one task. It is written after the change that it is about, or at the same time. */
export class TaskEvents {
  /** The number of the task in the order of acceptance, which later events name it by. */
  seq: number | undefined
  readonly #details: { at: number; event: Detail }[] = []

  constructor(id: string, seen: readonly Seen[]) {
    for (const [at, one] of seen.entries()) {
      if (one.type !== 'appending') continue
      for (const event of one.events) {
        if (event.type === 'tasksAccepted' && this.seq === undefined) {
          const index = event.ids.indexOf(id)
          if (index !== -1) this.seq = event.seq + index
        } else if (DETAILS.has(event.type) && 'id' in event && event.id === id)
          this.#details.push({ at, event: event as Detail })
      }
    }
  }

  /** What the journal says of a change that was seen at this place; undefined if it was never written. */
  detail<T extends DetailType>(type: T, at: number): Extract<Event, { type: T }> | undefined {
    const found = this.#details.findIndex((one) => one.at >= at && one.event.type === type)
    if (found === -1) return undefined
    return this.#details.splice(found, 1)[0]?.event as Extract<Event, { type: T }>
  }

  /** What this batch makes durable of the task. */
  in({ events }: Appending, id: string): 'acceptance' | 'outcome' | undefined {
    for (const event of events) {
      if (event.type === 'tasksAccepted' && event.ids.includes(id)) return 'acceptance'
      if (event.type === 'tasksSucceeded' && this.seq !== undefined && event.tasks.includes(this.seq)) return 'outcome'
      if ((event.type === 'taskDied' || event.type === 'taskCancelled') && event.id === id) return 'outcome'
    }
    return undefined
  }
}
