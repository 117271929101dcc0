import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

/** A terminal shows text in cells: a letter takes one, a Chinese character or an emoji two, a combining mark none. */

/** Line breaks and control characters of both sets (C0, C1). */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu
/** Marks that change the order in which the following text is shown. */
const BIDIRECTIONAL = /\p{Bidi_Control}/gu

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Text from outside in one line. It cannot move the cursor, colour the terminal or reverse the order of letters. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, ' ').replace(BIDIRECTIONAL, '').toWellFormed()
}

/** The cells that printable text takes. Colours take none. */
export function widthOf(text: string): number {
  return stringWidth(text)
}

/** Printable text, cut at its end to at most `width` cells. */
export function cutTo(text: string, width: number): string {
  if (fits(text, width)) return text
  return width < 1 ? '' : `${front(text, width - 1)}…`
}

/** A printable name, cut in the middle to at most `width` cells, because names differ at their ends. */
export function cutMiddle(text: string, width: number): string {
  if (fits(text, width)) return text
  if (width < 3) return cutTo(text, width)
  const end = back(text, Math.floor((width - 1) / 2))
  return `${front(text, width - 1 - widthOf(end))}…${end}`
}

/** No character takes more than two cells, so most texts need no measuring. */
function fits(text: string, width: number): boolean {
  return text.length * 2 <= width || widthOf(text) <= width
}

function front(text: string, width: number): string {
  let taken = ''
  let room = width
  for (const { segment } of graphemes.segment(text)) {
    room -= widthOf(segment)
    if (room < 0) break
    taken += segment
  }
  return taken
}

function back(text: string, width: number): string {
  let taken = ''
  let room = width
  for (const { segment } of [...graphemes.segment(text)].reverse()) {
    room -= widthOf(segment)
    if (room < 0) break
    taken = segment + taken
  }
  return taken
}
