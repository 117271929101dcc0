import { useEffect } from 'preact/hooks'
import { type Player, SPEEDS } from '../player/player.ts'

export interface Shortcut {
  keys: string
  words: string
}

/** The sheet that `?` shows. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: 'Space', words: 'play or stop' },
  { keys: '.', words: 'to the next message' },
  { keys: ',', words: 'to the next event of any kind' },
  { keys: ';', words: 'to the next change of a state' },
  { keys: '← →', words: 'one second back or ahead' },
  { keys: 'Home', words: 'back to the start' },
  { keys: '[ ]', words: 'slower, faster' },
  { keys: 'Tab', words: 'from part to part; Enter opens its settings' },
  { keys: 'Escape', words: 'close what is open' },
  { keys: '?', words: 'this sheet' },
]

const OWN_KEYS = new Set(['INPUT', 'SELECT', 'TEXTAREA'])

/** Lets the keyboard drive a player, except where a field has the keys for itself. */
export function usePlayerKeys(player: Player, onEscape: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target, key } = event
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (key === 'Escape') {
        onEscape()
        return
      }
      const tag = target instanceof HTMLElement ? target.tagName : ''
      if (OWN_KEYS.has(tag)) return
      // Space and Enter press the button that has the focus.
      if (key === ' ' && (tag === 'BUTTON' || tag === 'A' || tag === 'SUMMARY')) return
      const act = actions(player)[key]
      if (act === undefined) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [player, onEscape])
}

function actions(player: Player): Record<string, () => void> {
  const move = (ms: number) => {
    player.pause()
    player.seek(player.atMs.value + ms)
  }
  const hurry = (by: 1 | -1) => {
    const speed = player.speed.value
    const next = by === 1 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed)
    if (next !== undefined) player.speed.value = next
  }
  return {
    ' ': () => player.toggle(),
    '.': () => void player.step({ type: 'message' }),
    ',': () => void player.step({ type: 'event' }),
    ';': () => void player.step({ type: 'transition' }),
    ArrowLeft: () => move(-1000),
    ArrowRight: () => move(1000),
    Home: () => player.seek(0),
    '[': () => hurry(-1),
    ']': () => hurry(1),
  }
}
