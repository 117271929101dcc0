import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { deadLines } from '../src/commands/dead.ts'

const letter = (message: string, queue = 'photos.resize') => ({
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  queue,
  reason: 'not_retryable',
  error: { message },
  attempts: 1,
  history: [],
  ageMs: 12_000,
})
const lines = (message: string, width: number, queue?: string) =>
  deadLines([letter(message, queue)], width).map(stripVTControlCharacters)

test('a reason that fits stands beside its dead letter', () => {
  expect(lines('no luck', 80)).toEqual([
    'ID                                    QUEUE          TRIES  AGE  WHY',
    '01890a5d-ac96-774b-bcce-b302099a8057  photos.resize      1  12s  no luck',
  ])
})

test('one that does not fit stands below, as far as the terminal goes', () => {
  const message = 'broken.jpg is damaged or no picture: VipsJpeg: premature end of JPEG image'
  expect(lines(message, 80).slice(1)).toEqual([
    '01890a5d-ac96-774b-bcce-b302099a8057  photos.resize      1  12s',
    `  ${message}`,
  ])
  const long = lines(`two\nlines ${'x'.repeat(200)}`, 80, 'q'.repeat(100))
  expect(long.every((line) => line.length <= 80)).toBe(true)
  expect(long[2]).toMatch(/^ {2}two lines x+…$/)
})
