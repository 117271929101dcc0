import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lessons } from '../../src/lessons/index.ts'
import type { Choice, Lesson, Prediction } from '../../src/lessons/lesson.ts'

const specification = readFileSync(new URL('../../../../SPEC.md', import.meta.url), 'utf8')

const PARAGRAPH_MAX = 320
const TITLE_MAX = 48
/** How long a run may be shown. */
const WATCHED_SECONDS = [10, 40] as const
/** What an ordinary reader reads in a minute. */
const WORDS_A_MINUTE = 180
const WORDS_MAX = 4 * WORDS_A_MINUTE

/** The number of the lesson that says what a term means. */
const EXPLAINED_IN = {
  broker: 1,
  lease: 2,
  heartbeat: 2,
  fencing: 3,
  'retry budget': 4,
  jitter: 4,
  metastable: 5,
  'back pressure': 6,
  credit: 7,
  prefetch: 7,
  'head-of-line': 10,
  poison: 13,
  'dead letter': 13,
  redrive: 13,
  outbox: 15,
  fsync: 18,
  idempotent: 19,
}

function choicesOf(lesson: Lesson): Choice[] {
  return [lesson.predict, lesson.observe, lesson.change.predict, lesson.transfer].filter((one) => one.kind === 'choice')
}

function questionOf(one: Prediction): readonly string[] {
  return one.kind === 'number'
    ? [one.question]
    : [one.question, ...one.options.flatMap((option) => Object.values(option))]
}

/** All that a reader may be shown. */
function paragraphsOf(lesson: Lesson): readonly string[] {
  const { problem, predict, observe, explain, change, transfer, notModelled, claim } = lesson
  return [
    lesson.teaser,
    ...problem,
    ...questionOf(predict),
    ...questionOf(observe),
    ...explain,
    ...change.prompt,
    ...questionOf(change.predict),
    ...change.explain,
    ...questionOf(transfer),
    ...notModelled,
    claim.text,
  ]
}

/** What a reader reads who takes one option of each choice. */
function wordsOf(lesson: Lesson): number {
  const { problem, predict, observe, explain, change, transfer, notModelled } = lesson
  const asked = [predict, observe, change.predict, transfer].flatMap((one) =>
    one.kind === 'number'
      ? [one.question]
      : [one.question, ...one.options.map(({ text }) => text), one.options[0]?.answer],
  )
  const read = [...problem, ...asked, ...explain, ...change.prompt, ...change.explain, ...notModelled]
  return read.join(' ').split(/\s+/).length
}

test('the lessons are in order, and each has a number and a name of its own', () => {
  expect(lessons.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19])
  expect(new Set(lessons.map(({ name }) => name)).size).toBe(lessons.length)
})

describe.each(lessons.map((lesson) => [lesson.name, lesson] as const))('%s', (name, lesson) => {
  test('its name is fit for an address, and its title for a list', () => {
    expect(name).toMatch(/^[a-z][a-z-]*[a-z]$/)
    expect(lesson.title.length).toBeLessThanOrEqual(TITLE_MAX)
  })

  test('its rules are in SPEC.md', () => {
    expect(lesson.rules.length).toBeGreaterThan(0)
    expect(lesson.rules.filter((id) => !specification.includes(`- **[${id}]**`))).toEqual([])
  })

  test('its paragraphs are short, and it is read in four minutes', () => {
    const paragraphs = paragraphsOf(lesson)
    expect(paragraphs.filter((text) => text.length === 0 || text.length > PARAGRAPH_MAX)).toEqual([])
    expect(lesson.explain.length).toBeGreaterThanOrEqual(2)
    expect(lesson.explain.length).toBeLessThanOrEqual(5)
    expect(lesson.notModelled.length).toBeGreaterThan(0)
    expect(wordsOf(lesson)).toBeLessThanOrEqual(WORDS_MAX)
  })

  test('it uses no term before the lesson that explains it', () => {
    const early = Object.entries(EXPLAINED_IN).filter(([term, number]) => {
      const word = new RegExp(`\\b${term}`, 'i')
      return lesson.number < number && paragraphsOf(lesson).some((text) => word.test(text))
    })
    expect(early.map(([term]) => term)).toEqual([])
  })

  test('its choices differ, and each has an answer of its own', () => {
    const choices = choicesOf(lesson)
    expect(choices.length).toBeGreaterThanOrEqual(2)
    for (const { options } of choices) {
      expect(options.length).toBeGreaterThanOrEqual(2)
      expect(new Set(options.map(({ text }) => text)).size).toBe(options.length)
      expect(new Set(options.map(({ answer }) => answer)).size).toBe(options.length)
    }
  })

  test('its run takes from ten to forty seconds to watch, and shows all that is measured', () => {
    const seconds = lesson.untilMs / lesson.speed / 1000
    expect(seconds).toBeGreaterThanOrEqual(WATCHED_SECONDS[0])
    expect(seconds).toBeLessThanOrEqual(WATCHED_SECONDS[1])
    for (const { scenario, label } of [...lesson.runs, ...lesson.change.runs]) {
      expect(scenario.durationMs).toBeGreaterThanOrEqual(lesson.untilMs)
      expect(label.length).toBeLessThanOrEqual(20)
    }
  })

  test('it is plain data, but for what it calculates', () => {
    for (const { scenario } of [...lesson.runs, ...lesson.change.runs])
      expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
  })
})
