export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks every `everyMs` until the answer is yes; fails after `limitMs`, naming what it waited for. */
export async function until(what: string, holds: () => Promise<boolean>, limitMs: number, everyMs = 20): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await sleep(everyMs)
  }
}
