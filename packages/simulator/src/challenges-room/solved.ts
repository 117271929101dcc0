import { signal } from '@preact/signals'

const KEY = 'sluice-simulator-challenges'

function read(): readonly string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    // A browser that keeps nothing forgets what was solved.
    return []
  }
}

/** The names of the challenges that were solved in this browser. */
export const solved = signal<readonly string[]>(read())

export function noteSolved(name: string): void {
  if (solved.value.includes(name)) return
  solved.value = [...solved.value, name]
  try {
    localStorage.setItem(KEY, JSON.stringify(solved.value))
  } catch {
    // It is remembered as long as the page is open.
  }
}
