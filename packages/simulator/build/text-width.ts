/** Widths in em of a usual sans-serif, with some room for those that run wider. */
const NARROW = /[ijlIft.,[\]()' ]/
const WIDE = /[mwMW]/
const TALL = /[A-Z_]/

function widthOf(letter: string): number {
  if (NARROW.test(letter)) return 0.33
  if (WIDE.test(letter)) return 0.86
  return TALL.test(letter) ? 0.68 : 0.57
}

/** About how wide a text is, in CSS pixels. Fonts differ, so it is rather too wide. */
export function textWidth(text: string, fontSize: number, isBold: boolean): number {
  let ems = 0
  for (const letter of text) ems += widthOf(letter)
  return ems * fontSize * (isBold ? 1.06 : 1)
}
