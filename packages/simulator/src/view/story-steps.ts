import type { Seen } from './fold.ts'
import type { StoryStep, Tone } from './story-view.ts'
import { sentence, spanText } from './words.ts'

export type Sent = Extract<Seen, { type: 'sentToBroker' | 'sentByBroker' }>

/** The steps of a story, and the messages that are on their way in it. */
export class StorySteps {
  readonly all: StoryStep[] = []
  readonly #endMs: number
  #legs: { step: StoryStep; connection: number; side: 'node' | 'broker' }[] = []

  constructor(endMs: number) {
    this.#endMs = endMs
  }

  tell({ atMs }: { atMs: number }, who: string, text: string, rule: string, tone: Tone = 'plain', attempt?: number) {
    const step: StoryStep = { atMs, who, text: `${sentence(text)}.`, rule, tone, attempt }
    this.all.push(step)
    return step
  }

  /** A message: its step says when it arrived, or that it never did. */
  send(sent: Sent, step: StoryStep): void {
    const { arrivesAtMs, atMs, connection } = sent
    if (arrivesAtMs === undefined || arrivesAtMs > this.#endMs)
      this.#legs.push({ step, connection, side: sent.type === 'sentToBroker' ? 'broker' : 'node' })
    else if (arrivesAtMs - atMs >= 0.05) step.text += ` The message takes ${spanText(arrivesAtMs - atMs)}.`
  }

  /** What was on its way to this side is lost. */
  disconnected({ connection, side }: Extract<Seen, { type: 'disconnected' }>): void {
    this.#legs = this.#legs.filter((leg) => {
      if (leg.connection !== connection || leg.side !== side) return true
      leg.step.text += ' The message is lost with the connection.'
      if (leg.step.tone === 'plain') leg.step.tone = 'warn'
      return false
    })
  }
}
