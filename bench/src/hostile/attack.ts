/** Where an attack is made, and from what. */
export interface Ground {
  url: string
  httpUrl: string
  /** Of a principal that may submit to the queue `attic` and take from it, and nothing else. */
  token: string
  /** Tokens that no broker may take, by what is wrong with them. */
  badTokens: Readonly<Record<string, string>>
  /** Tasks, leases and a session of another principal. */
  victim: { ids: readonly string[]; leases: readonly number[]; session: string }
  /** How many attempts to make. */
  attempts: number
  seed: number
}

/** What came of it, as the attacker sees it. */
export interface Spoils {
  attempts: number
  /** What was allowed and should not have been, each in a line; the first ones alone. */
  breaches: string[]
  /** What the attempts met, counted. */
  met: Record<string, number>
}

export interface Attack {
  readonly name: string
  readonly about: string
  /** Attempts of a full run. */
  readonly attempts: number
  run(ground: Ground): Promise<Spoils>
}

const BREACHES_MAX = 20

/** Collects what an attack meets. */
export class Tally implements Spoils {
  attempts = 0
  readonly breaches: string[] = []
  readonly met: Record<string, number> = {}

  meet(what: string): void {
    this.met[what] = (this.met[what] ?? 0) + 1
  }

  breach(what: string): void {
    if (this.breaches.length < BREACHES_MAX) this.breaches.push(what)
    this.meet('breaches')
  }
}

/** Runs `attempt` this often, so many at a time. */
export async function inParallel(
  count: number,
  width: number,
  attempt: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await attempt(next - 1)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
}
