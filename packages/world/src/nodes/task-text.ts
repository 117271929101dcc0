import { fnv1a } from '../fnv.ts'
import type { RandomStream } from '../random.ts'

const decoder = new TextDecoder()

const ALPHABETS = {
  /** One byte each in UTF-8. */
  latin: [...'abcdefghijklmnopqrstuvwxyz'],
  /** One to four bytes each; at most three for a UTF-16 code unit. */
  mixed: [...'azéßж語あ—𝛼🜲'],
}

/** The letters of each alphabet. */
export type Alphabet = keyof typeof ALPHABETS

/** The text with letters added until it has this many UTF-16 code units, or one more. */
export function padded(text: string, length: number, random: RandomStream, alphabet: Alphabet = 'latin'): string {
  const letters = ALPHABETS[alphabet]
  let all = text
  while (all.length < length) all += letters[random.next32() % letters.length]
  return all
}

/**
 * The beginning of results that are bytes of no stated kind, and of no other results, so that an observer can
 * recognise them.
 */
export const BYTES_MARK = 'bytes: '

/** The text of a result, and what is wrong with it if its type differs from what its handler returned. */
export function readResult(value: unknown): string {
  const isBytes = value instanceof Uint8Array
  const text = isBytes ? (JSON.parse(decoder.decode(value)) as string) : (value as string)
  return isBytes === text.startsWith(BYTES_MARK) ? text : `${text}, as ${isBytes ? 'bytes' : 'JSON'}`
}

/** The wish that a body states. It is the same in every submission of the wish, whatever the id. */
export function wishOf(body: unknown): string {
  return typeof body === 'string' ? body.slice(0, body.indexOf(' ')) : ''
}

/** FNV-1a as eight hexadecimal digits. */
export function digestOfText(text: string): string {
  return (fnv1a(text) >>> 0).toString(16).padStart(8, '0')
}
