import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { parseExact } from '@sluice/protocol'
import { cutTo, printable } from './cells.ts'
import { CommandError, EXIT } from './exit-code.ts'

/** A larger file is read line by line, without a look at the whole. */
const WHOLE_FILE_BYTES_MAX = 1024 * 1024

/**
 * The bodies to submit: the argument, a file (one JSON document, or one JSON value per line; `-` is standard input), or
 * the lines of standard input.
 */
export function taskBodies(argument: string | undefined, file: string | undefined): AsyncIterable<unknown> {
  if (argument !== undefined && file !== undefined) {
    throw new CommandError('Give a body or --file, not both.', EXIT.usage)
  }
  if (argument !== undefined) return one(parsed(argument, 'The body'))
  if (file !== undefined && file !== '-') return fileBodies(file)
  if (file === '-' || !process.stdin.isTTY) return lineBodies(process.stdin, 'standard input')
  throw new CommandError(
    `Nothing to submit. Give a body ('{"n":1}'), a file (--file tasks.jsonl), or lines on standard input.`,
    EXIT.usage,
  )
}

async function* one(body: unknown): AsyncGenerator<unknown> {
  yield body
}

async function* fileBodies(path: string): AsyncGenerator<unknown> {
  let bytes: Uint8Array | undefined
  try {
    if (statSync(path).size <= WHOLE_FILE_BYTES_MAX) bytes = readFileSync(path)
  } catch (caught) {
    throw new CommandError(`${path} cannot be read: ${(caught as Error).message}`, EXIT.usage)
  }
  const whole = bytes && decode(new TextDecoder('utf-8', { fatal: true }), bytes, path)
  // Two or more JSON lines are never one JSON document, so the form that parses is the intended one.
  if (whole !== undefined && isJson(whole)) yield parsed(whole, path)
  else yield* lineBodies(createReadStream(path), path)
}

async function* lineBodies(input: Readable, name: string): AsyncGenerator<unknown> {
  let number = 0
  const text = Readable.from(decoded(input, name))
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() !== '') yield parsed(line, `Line ${number} of ${name}`)
  }
}

/** Text without its byte order mark. Elsewhere bytes that are not UTF-8 would be replaced silently. */
async function* decoded(input: Readable, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of input) yield decode(decoder, chunk as Uint8Array, name, true)
  yield decode(decoder, new Uint8Array(0), name)
}

function decode(decoder: TextDecoder, bytes: Uint8Array, name: string, stream = false): string {
  try {
    return decoder.decode(bytes, { stream })
  } catch {
    throw new CommandError(`${name} is not UTF-8: convert it first (iconv -t utf-8)`, EXIT.usage)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function parsed(text: string, what: string): unknown {
  if (isJson(text)) {
    try {
      return parseExact(text)
    } catch {
      throw new CommandError(`${what} nests too deep.`, EXIT.usage)
    }
  }
  const shown = printable(cutTo(text, 60))
  throw new CommandError(`${what} is not JSON: ${shown}\nText goes into quotes of its own: '"hello"'`, EXIT.usage)
}
