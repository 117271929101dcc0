import type { RandomStream } from '../random.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** The text with letters added until it has this many characters. */
export function padded(text: string, length: number, random: RandomStream): string {
  let all = text
  while (all.length < length) all += LETTERS[random.next32() % LETTERS.length]
  return all
}

/** The wish that a body states: the same in every submission of it, whatever the id. */
export function wishOf(body: unknown): string {
  return typeof body === 'string' ? body.slice(0, body.indexOf(' ')) : ''
}

/** FNV-1a as eight hexadecimal digits. */
export function digestOfText(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
