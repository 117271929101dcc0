import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Engine } from '../engine/engine.ts'
import type { Player } from './player.ts'

/** While a run plays, what is beside the stage is asked for at most this often, in ms of a watch. */
const EVERY_MS = 250

/**
 * What the engine says of the instant that is shown, asked again when that changes. It lags behind a little while the
 * run plays, and is exact when it stands still.
 * @param key another question has another key
 */
export function useAsked<T>(
  player: Player,
  key: string,
  ask: (engine: Engine, atMs: number) => Promise<T>,
): T | undefined {
  const [answer, setAnswer] = useState<{ key: string; value: T } | undefined>(undefined)
  const latest = useRef(ask)
  latest.current = ask
  const state = useRef({ isAsking: false, isStale: false, isGone: false, timer: 0 })
  useEffect(
    () => () => {
      state.current.isGone = true
      clearTimeout(state.current.timer)
    },
    [],
  )
  const again = (): void => {
    const now = state.current
    if (now.isAsking) {
      now.isStale = true
      return
    }
    now.isAsking = true
    now.isStale = false
    const asked = latest.current(player.engine, player.atMs.peek())
    const rest = () => {
      now.timer = window.setTimeout(() => {
        now.isAsking = false
        if (now.isStale && !now.isGone) again()
      }, EVERY_MS)
    }
    asked.then(
      (value) => {
        if (!now.isGone) setAnswer({ key, value })
        rest()
      },
      // The player says what is wrong with the engine.
      rest,
    )
  }
  useSignalEffect(() => {
    player.atMs.value
    player.plan.value
    again()
  })
  useEffect(again, [key])
  return answer?.key === key ? answer.value : undefined
}
