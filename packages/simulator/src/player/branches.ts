import { computed, type Signal, signal } from '@preact/signals'
import type { TimedChange } from '@sluice/world'
import type { Plan } from '../engine/run.ts'
import { changeText } from '../view/words.ts'

/** One way in which a run goes on. Both ways stay: the one before a change, and the one after it. */
export interface Branch {
  number: number
  /** The branch from which it went off. */
  parent: number | undefined
  /** Where it went off, in ms. */
  atMs: number
  words: string
  plan: Plan
}

/** More than this nobody keeps apart. The oldest that is not shown is dropped. */
const KEPT_MAX = 8

export class Branches {
  readonly list: Signal<readonly Branch[]>
  readonly current = signal(1)
  readonly shown = computed(() => this.list.value.find(({ number }) => number === this.current.value))
  #next = 2

  constructor(plan: Plan) {
    this.list = signal([{ number: 1, parent: undefined, atMs: 0, words: 'as planned', plan }])
  }

  /** Another run is opened: its branches begin anew. */
  restart(plan: Plan): void {
    this.list.value = [{ number: 1, parent: undefined, atMs: 0, words: 'as planned', plan }]
    this.current.value = 1
    this.#next = 2
  }

  /** The shown run goes on differently. */
  fork(plan: Plan): void {
    const last = plan.changes.at(-1)
    if (last === undefined) return
    const shown = this.shown.value
    const before = shown?.plan.changes.at(-1)
    // A knob that is turned on at one instant is one branch.
    if (shown !== undefined && shown.number !== 1 && before !== undefined && isSameKnob(before, last)) {
      const turned = { ...shown, plan, words: changeText(last.change) }
      this.list.value = this.list.value.map((one) => (one.number === shown.number ? turned : one))
      return
    }
    const branch: Branch = {
      number: this.#next,
      parent: this.current.value,
      atMs: last.atMs,
      words: changeText(last.change),
      plan,
    }
    this.#next += 1
    const kept = [...this.list.value, branch]
    while (kept.length > KEPT_MAX) kept.splice(1, 1)
    this.list.value = kept
    this.current.value = branch.number
  }
}

function isSameKnob(a: TimedChange, b: TimedChange): boolean {
  const knob = ({ change }: TimedChange) => `${change.type} ${'group' in change ? change.group : ''}`
  return a.atMs === b.atMs && a.change.type !== 'fault' && knob(a) === knob(b)
}
