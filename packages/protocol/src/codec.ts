import { decodeBrokerMessage } from './decode-broker.ts'
import { decodeClientMessage } from './decode-client.ts'
import { BinarySink, encodeMessage, TextSink } from './encode-message.ts'
import type { WireError } from './errors.ts'
import { BinaryBodies, type FrameBodies, TextBodies } from './frame-bodies.ts'
import { isShallow, opensAtMost, scanTextFrame, utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { BrokerMessage, ClientMessage, Message } from './messages.ts'
import { sizeOf, splitList } from './split.ts'
import { type Fields, Refusal, record, tooLarge, within } from './validate.ts'

export type FrameKind = 'text' | 'binary'

export type Decoded<M> = { ok: true; messages: M[] } | { ok: false; error: WireError }

type DecodeMessage<M> = (fields: Fields, limits: Limits, bodies: FrameBodies) => M

/** Bytes before the header of a binary frame: the length of the header, big-endian. */
const PREFIX_BYTES = 4

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a frame that a broker received. It never throws: every input gives messages or one error. Bodies of a
 * binary frame are views of `data`.
 */
export function decodeClientFrame(data: string | Uint8Array, limits: Limits): Decoded<ClientMessage> {
  return decodeFrame(data, limits, decodeClientMessage)
}

/**
 * Decodes a frame that a client received; see `decodeClientFrame`. What a broker holds was accepted under earlier
 * limits, which may have been wider. So only the frame's size is bounded here.
 */
export function decodeBrokerFrame(data: string | Uint8Array, limits: Limits): Decoded<BrokerMessage> {
  const { frameBytesMax } = limits
  const held = { ...limits, bodyBytesMax: frameBytesMax, nameLengthMax: frameBytesMax, progressBytesMax: frameBytesMax }
  return decodeFrame(data, held, decodeBrokerMessage)
}

function decodeFrame<M>(data: string | Uint8Array, limits: Limits, decodeMessage: DecodeMessage<M>): Decoded<M> {
  try {
    const messages =
      typeof data === 'string' ? decodeText(data, limits, decodeMessage) : decodeBinary(data, limits, decodeMessage)
    return { ok: true, messages }
  } catch (caught) {
    if (caught instanceof Refusal) return { ok: false, error: caught.toWire() }
    throw caught
  }
}

function decodeBinary<M>(frame: Uint8Array, limits: Limits, decodeMessage: DecodeMessage<M>): M[] {
  if (frame.length > limits.frameBytesMax) throw frameTooLarge(limits)
  if (frame.length < PREFIX_BYTES) throw badFrame('A binary frame starts with four bytes that state the header length.')
  const headerBytes = ((frame[0]! << 24) | (frame[1]! << 16) | (frame[2]! << 8) | frame[3]!) >>> 0
  const headerEnd = PREFIX_BYTES + headerBytes
  if (headerEnd > frame.length) throw badFrame(`The frame is shorter than its header of ${headerBytes} bytes.`)
  let source: string
  try {
    source = decoder.decode(new Uint8Array(frame.buffer, frame.byteOffset + PREFIX_BYTES, headerBytes))
  } catch {
    throw badFrame('The header is not UTF-8.')
  }
  // A header with columns is long and has few brackets. Counting brackets is faster than following them.
  if (!opensAtMost(source, limits.depthMax) && !isShallow(frame, PREFIX_BYTES, headerEnd, limits.depthMax)) {
    throw frameTooDeep(limits)
  }
  const list = messageList(source, 'header', limits)
  const bodies = new BinaryBodies(frame, headerEnd, limits)
  const messages: M[] = []
  let index = 0
  try {
    for (; index < list.length; index++) messages.push(decodeMessage(record(list[index]), limits, bodies))
  } catch (caught) {
    throw within(caught, `messages[${index}]`)
  }
  bodies.refuseRest()
  return messages
}

function decodeText<M>(source: string, limits: Limits, decodeMessage: DecodeMessage<M>): M[] {
  if (isLongerThan(source, limits.frameBytesMax)) throw frameTooLarge(limits)
  const texts = scanTextFrame(source, limits.depthMax)
  if (texts === null) throw frameTooDeep(limits)
  const list = messageList(source, 'frame', limits)
  const bodies = new TextBodies(texts, limits)
  const messages: M[] = []
  let index = 0
  try {
    for (; index < list.length; index++) {
      bodies.messageIndex = index
      messages.push(decodeMessage(record(list[index]), limits, bodies))
    }
  } catch (caught) {
    throw within(caught, `messages[${index}]`)
  }
  return messages
}

function messageList(source: string, what: 'header' | 'frame', limits: Limits): unknown[] {
  let list: unknown
  try {
    list = JSON.parse(source)
  } catch {
    throw badFrame(`The ${what} is not JSON.`)
  }
  if (!Array.isArray(list)) throw badFrame('A frame holds an array of messages.')
  if (list.length > limits.frameMessagesMax) {
    throw tooLarge(`At most ${limits.frameMessagesMax} messages fit in a frame.`, 'messages', limits.frameMessagesMax)
  }
  return list
}

function badFrame(message: string): Refusal {
  return new Refusal('bad_frame', message, 'frame')
}

function frameTooLarge(limits: Limits): Refusal {
  return tooLarge(`A frame has at most ${limits.frameBytesMax} bytes.`, 'frame', limits.frameBytesMax)
}

function frameTooDeep(limits: Limits): Refusal {
  return tooLarge(`Objects and arrays nest at most ${limits.depthMax} deep.`, 'frame', limits.depthMax)
}

/** Whether `source` has more than `bytesMax` bytes in UTF-8. It counts only if the length alone does not decide. */
function isLongerThan(source: string, bytesMax: number): boolean {
  if (source.length > bytesMax) return true
  return source.length * 3 > bytesMax && utf8Length(source) > bytesMax
}

/**
 * The usual size in bytes of a frame with many messages or items. Larger frames cost more a byte: they do not stay in
 * the processor's cache between socket and decoder, and the other side starts later.
 */
const FRAME_BYTES_HANDY = 80 * 1024
/** The approximate size of an item in the header: an id, or a few numbers. */
const ITEM_BYTES = 32

/**
 * Encodes messages, in order, into frames of a convenient size within the limits. If a `deliver`, `succeeded`,
 * `ended`, `progress`, `reportProgress`, `revoke`, `unwatch` or `status` is too large for a frame, it is sent as
 * several messages. Texts for people (failures, error messages) are cut to the limits. Throws a RangeError if a
 * message that cannot be divided, or a single item, does not fit: the caller must keep a `submit` or a `complete`
 * below `frameBytesMax`. A binary frame may be a view of memory that it shares with others.
 */
export function encodeFrames(messages: readonly Message[], kind: FrameKind, limits: Limits): (string | Uint8Array)[] {
  const frames: (string | Uint8Array)[] = []
  let gathered: Message[] = []
  let bytes = 0
  for (const message of messages) {
    for (const part of handyParts(message)) {
      const partBytes = bytesAbout(part)
      if (gathered.length > 0 && bytes + partBytes > FRAME_BYTES_HANDY) {
        encodeHalving(frames, gathered, kind, limits)
        gathered = []
        bytes = 0
      }
      gathered.push(part)
      bytes += partBytes
    }
  }
  if (gathered.length > 0) encodeHalving(frames, gathered, kind, limits)
  return frames
}

function handyParts(message: Message): Message[] {
  const halves = bytesAbout(message) > FRAME_BYTES_HANDY ? splitList(message) : null
  return halves === null ? [message] : halves.flatMap(handyParts)
}

function bytesAbout(message: Message): number {
  const { items, bodyBytes } = sizeOf(message)
  return bodyBytes + items * ITEM_BYTES
}

/** Encodes all messages into one frame. If that is too large, encodes each half into its own. */
function encodeHalving(
  frames: (string | Uint8Array)[],
  messages: readonly Message[],
  kind: FrameKind,
  limits: Limits,
): void {
  if (mayFit(messages, limits)) {
    const frame = kind === 'binary' ? encodeBinary(messages, limits) : encodeText(messages, limits)
    if (frame !== null) {
      frames.push(frame)
      return
    }
  }
  if (messages.length > 1) {
    const middle = messages.length >> 1
    encodeHalving(frames, messages.slice(0, middle), kind, limits)
    encodeHalving(frames, messages.slice(middle), kind, limits)
    return
  }
  const halves = splitList(messages[0]!)
  if (halves === null) {
    throw new RangeError(
      `A ${messages[0]!.type} message does not fit in a frame of ${limits.frameBytesMax} bytes: send fewer items, or smaller ones`,
    )
  }
  encodeHalving(frames, [halves[0]], kind, limits)
  encodeHalving(frames, [halves[1]], kind, limits)
}

/** Whether the messages may fit, judged by counts and body lengths before anything is encoded. */
function mayFit(messages: readonly Message[], limits: Limits): boolean {
  if (messages.length > limits.frameMessagesMax) return false
  let bytes = 0
  for (const message of messages) {
    const { items, bodyBytes } = sizeOf(message)
    if (items > limits.batchItemsMax) return false
    bytes += bodyBytes
  }
  return bytes <= limits.frameBytesMax
}

function encodeHeader(messages: readonly Message[], limits: Limits, sink: BinarySink | TextSink): string {
  let header = '['
  for (let i = 0; i < messages.length; i++) {
    if (i > 0) header += ','
    header += encodeMessage(messages[i]!, limits, sink)
  }
  return `${header}]`
}

/** The frame, or `null` if it is too large. */
function encodeText(messages: readonly Message[], limits: Limits): string | null {
  const frame = encodeHeader(messages, limits, new TextSink(limits))
  return isLongerThan(frame, limits.frameBytesMax) ? null : frame
}

/** The frame, or `null` if it is too large. */
function encodeBinary(messages: readonly Message[], limits: Limits): Uint8Array | null {
  // Nearly every header and text is ASCII. So try with one byte a unit first, and count only if that fails.
  return fillBinary(messages, limits, true) ?? fillBinary(messages, limits, false)
}

/** The frame, or `null` if it is too large, or is not ASCII although that was assumed. */
function fillBinary(messages: readonly Message[], limits: Limits, assumesAscii: boolean): Uint8Array | null {
  const sink = new BinarySink(assumesAscii)
  const header = encodeHeader(messages, limits, sink)
  const headerBytes = assumesAscii ? header.length : utf8Length(header)
  const bodiesStart = PREFIX_BYTES + headerBytes
  const length = bodiesStart + sink.length
  if (length > limits.frameBytesMax) return null
  const frame = room(length)
  frame[0] = headerBytes >>> 24
  frame[1] = headerBytes >>> 16
  frame[2] = headerBytes >>> 8
  frame[3] = headerBytes
  if (!writeText(frame, header, PREFIX_BYTES, bodiesStart)) return null
  let at = bodiesStart
  for (const bodies of sink.bodies) {
    if (bodies.texts !== undefined && assumesAscii) {
      const text = bodies.texts.join('')
      if (!writeText(frame, text, at, at + text.length)) return null
      at += text.length
    } else {
      for (const piece of bodies.pieces) {
        frame.set(piece, at)
        at += piece.length
      }
    }
  }
  return frame
}

/**
 * Frames of at most this many bytes share memory, because a buffer of its own costs a small frame more time than its
 * text.
 */
const SHARED_BYTES_MAX = 1024
/** How much memory is allocated at a time for frames that share it. It stays allocated while one of them is in use. */
const SHARED_BYTES = 32 * 1024
let shared = new Uint8Array(0)
let sharedUsed = 0

/** Memory for one frame. No byte is given out twice. */
function room(length: number): Uint8Array {
  if (length > SHARED_BYTES_MAX) return new Uint8Array(length)
  if (sharedUsed + length > shared.length) {
    shared = new Uint8Array(SHARED_BYTES)
    sharedUsed = 0
  }
  const frame = new Uint8Array(shared.buffer, sharedUsed, length)
  sharedUsed += length
  return frame
}

/** Whether the text has exactly as many bytes as there are between `start` and `end`. */
function writeText(frame: Uint8Array, text: string, start: number, end: number): boolean {
  const { read, written } = encoder.encodeInto(text, frame.subarray(start, end))
  return read === text.length && written === end - start
}
