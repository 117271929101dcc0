import type { Look } from './tokens.ts'

/** The colours of the page as a canvas takes them. */
export interface Palette {
  looks: Readonly<Record<Look, string>>
  surface: string
  ink: string
  muted: string
  line: string
  warn: string
  bad: string
  accent: string
}

const VARIABLES: Readonly<Record<Look, string>> = {
  new: '--task-new',
  delayed: '--task-delayed',
  ready: '--task-ready',
  leased: '--task-leased',
  running: '--task-leased',
  succeeded: '--task-succeeded',
  dead: '--task-dead',
  cancelled: '--task-cancelled',
}

/** Reads the colours of the theme that this element has now. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement('span')
  element.append(probe)
  const read = (variable: string): string => {
    probe.style.color = `var(${variable})`
    return getComputedStyle(probe).color
  }
  const looks = Object.fromEntries(Object.entries(VARIABLES).map(([look, variable]) => [look, read(variable)]))
  const palette: Palette = {
    looks: looks as Record<Look, string>,
    surface: read('--surface-2'),
    ink: read('--ink'),
    muted: read('--muted'),
    line: read('--line'),
    warn: read('--warn'),
    bad: read('--bad'),
    accent: read('--accent'),
  }
  probe.remove()
  return palette
}
