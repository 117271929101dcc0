/**
 * Logarithm and powers made of sums, products and quotients alone, which IEEE 754 rounds the same everywhere. Those of
 * JavaScript engines may differ in the last bit, and then a seed would make another run in another browser.
 */

const { LN2 } = Math
/** Terms of the series: enough for the last bit of what they are used for. */
const LN_TERMS = 12
const EXP_TERMS = 22

/** The natural logarithm of a positive, finite, normal number. */
export function ln(x: number): number {
  let mantissa = x
  let exponent = 0
  for (; mantissa > Math.SQRT2; exponent += 1) mantissa /= 2
  for (; mantissa < Math.SQRT1_2; exponent -= 1) mantissa *= 2
  // ln m = 2 artanh((m − 1) / (m + 1))
  const s = (mantissa - 1) / (mantissa + 1)
  const square = s * s
  let sum = 0
  for (let term = LN_TERMS; term >= 0; term -= 1) sum = sum * square + 1 / (2 * term + 1)
  return 2 * s * sum + exponent * LN2
}

/** e to this power, for powers from −700 to 700. */
function exp(x: number): number {
  const doublings = Math.round(x / LN2)
  const rest = x - doublings * LN2
  let sum = 1
  for (let term = EXP_TERMS; term >= 1; term -= 1) sum = (sum * rest) / term + 1
  for (let i = 0; i < doublings; i += 1) sum *= 2
  for (let i = 0; i > doublings; i -= 1) sum /= 2
  return sum
}

/** A positive number to this power. */
export function power(base: number, exponent: number): number {
  return exp(ln(base) * exponent)
}
