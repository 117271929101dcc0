import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutMiddle, cutTo, printable, widthOf } from '../src/cells.ts'
import { deadLines } from '../src/commands/dead.ts'
import { type QueueRow, queueLines } from '../src/commands/queues.ts'
import { outcomeLine } from '../src/commands/tail.ts'
import { pictureOf } from '../src/commands/watch.ts'
import { jsonLine } from '../src/terminal.ts'

const queue = (name: string, more: Partial<QueueRow> = {}): QueueRow => ({
  name,
  ready: 1_234_567,
  delayed: 20,
  leased: 300,
  succeeded: 45_678,
  dead: 9,
  cancelled: 0,
  workers: 12,
  drainPerSecond: 30.4,
  ...more,
})
const plain = (lines: string[]) => lines.map(stripVTControlCharacters)
const health = { status: 'ready', durability: 'strict', tasks: 12_345, connections: 7 }
const names = ['photos.resize', '写真のサイズ変更', 'a'.repeat(60), '👩‍👩‍👧‍👦 family', 'e\u0301te\u0301']

test.each([40, 50, 61, 62, 80, 120, 200])('no line of watch is wider than %i cells, and no figure is cut', (width) => {
  const lines = plain(pictureOf('ws://127.0.0.1:7331', { health, queues: names.map((name) => queue(name)) }, width))
  for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(width)
  const [titles = '', ...rows] = lines.slice(2)
  const figures = ['1,234,567', '20', '300', '45,678', '9', '12', '30.4']
  for (const row of rows) {
    const shown = row.split(/ {2,}/).slice(1)
    expect(shown.length).toBe(titles.trim().split(/ {2,}/).length - 1)
    for (const figure of shown) expect(figures).toContain(figure)
  }
})

test('columns that find no room are left out, the least telling first, and names are cut in the middle', () => {
  const rows = [queue('photos.resize.thumbnails.large', { ready: 5 })]
  expect(plain(queueLines(rows, 80))).toEqual([
    'QUEUE                     READY  DELAYED  LEASED    DONE  DEAD  WORKERS  PER SEC',
    'photos.resiz…nails.large      5       20     300  45,678     9       12     30.4',
  ])
  expect(plain(queueLines(rows, 40))).toEqual([
    'QUEUE                READY  LEASED  DEAD',
    'photos.re…ils.large      5     300     9',
  ])
})

test('names of any script stand in columns', () => {
  const lines = plain(
    queueLines(
      names.map((name) => queue(name)),
      120,
    ),
  )
  const ends = lines.map((line) => widthOf(line))
  expect(new Set(ends).size).toBe(1)
})

test('a cut text is as wide as it may be, whatever it is made of', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.integer({ min: 0, max: 40 }), (text, width) => {
      const shown = printable(text)
      for (const cut of [cutTo(shown, width), cutMiddle(shown, width)]) {
        expect(widthOf(cut)).toBeLessThanOrEqual(width)
        if (widthOf(shown) <= width) expect(cut).toBe(shown)
      }
    }),
  )
  expect(cutMiddle('photos.resize', 7)).toBe('pho…ize')
  expect(cutTo('写真のサイズ', 6)).toBe('写真…')
})

const HOSTILE = 'a\u001b[2Jb\r\u009b31mc\u202egnp\u2066d\u2029e\u0007'

test('what comes from outside moves no cursor and turns no letters round', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const obeyed = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
  const letter = {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    queue: HOSTILE,
    reason: 'not_retryable',
    error: { message: HOSTILE },
    attempts: 1,
    history: [],
    ageMs: 12_000,
  }
  const shown = [
    ...plain(deadLines([letter], 200)),
    ...plain(deadLines([letter], 50)),
    ...plain(
      pictureOf('ws://127.0.0.1:7331', { health: { ...health, status: HOSTILE }, queues: [queue(HOSTILE)] }, 200),
    ),
    jsonLine({ name: HOSTILE }),
    outcomeLine({ id: HOSTILE, state: 'dead', queue: HOSTILE, error: { message: HOSTILE } }, new Date(0), true),
  ].map(stripVTControlCharacters)
  for (const line of shown) expect(line).not.toMatch(obeyed)
  expect(JSON.parse(jsonLine({ name: HOSTILE }))).toEqual({ name: HOSTILE })
})
