import type { WireError } from './errors.ts'
import { utf8Length } from './json-scan.ts'
import { badMessage, Refusal, recordAt, text, tooLarge } from './validate.ts'

/**
 * What a worker has, for people and for later routing: values by name. A name that says everything by itself, such as
 * `gpu`, has the empty value. A number is written in decimal, with its unit last in the name: `memoryGb: '8'`.
 */
export type Labels = Readonly<Record<string, string>>

/** Labels of one worker. */
export const LABELS_MAX = 32
/** Characters of a label's name. */
export const LABEL_NAME_LENGTH_MAX = 64
/** UTF-16 code units of a label's value. */
export const LABEL_VALUE_LENGTH_MAX = 128
/** UTF-8 bytes of all names and values together. */
export const LABELS_BYTES_MAX = 2048

const NAME = /^[A-Za-z][A-Za-z0-9._-]*$/
const NAME_RULE = 'The name of a label begins with a letter (a-z, A-Z); letters, digits and any of . _ - may follow.'

/** Decodes the labels at `labels` into a new object. Throws a Refusal. */
export function labelsAt(fields: { labels?: unknown }): Labels {
  const entries = Object.entries(recordAt(fields, 'labels'))
  if (entries.length > LABELS_MAX) {
    throw tooLarge(`A worker has at most ${LABELS_MAX} labels, not ${entries.length}.`, 'labels', LABELS_MAX)
  }
  let bytes = 0
  for (const [name, value] of entries) {
    if (name.length > LABEL_NAME_LENGTH_MAX) {
      const message = `The name of a label has at most ${LABEL_NAME_LENGTH_MAX} characters, not ${name.length}.`
      throw tooLarge(message, 'labels', LABEL_NAME_LENGTH_MAX)
    }
    if (!NAME.test(name)) throw badMessage(`${JSON.stringify(name)} names no label. ${NAME_RULE}`, 'labels')
    bytes += name.length + utf8Length(text(value, `labels.${name}`, LABEL_VALUE_LENGTH_MAX))
  }
  if (bytes > LABELS_BYTES_MAX) {
    const message = `The names and values of all labels have at most ${LABELS_BYTES_MAX} bytes together, not ${bytes}.`
    throw tooLarge(message, 'labels', LABELS_BYTES_MAX)
  }
  return Object.fromEntries(entries) as Labels
}

/** Why a broker would refuse these labels, with the field and the limit. Undefined if it would not. */
export function labelsFault(labels: unknown): WireError | undefined {
  try {
    labelsAt({ labels })
    return undefined
  } catch (caught) {
    if (caught instanceof Refusal) return caught.toWire()
    throw caught
  }
}
