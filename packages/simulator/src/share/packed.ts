/** What a link says, unpacked, is never larger. */
const UNPACKED_MAX = 512 * 1024

/** Text in as few characters as an address allows. */
export async function pack(text: string): Promise<string> {
  const bytes = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'))).bytes()
  let units = ''
  for (const byte of bytes) units += String.fromCharCode(byte)
  return btoa(units).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** @throws Error if it was not packed, or is too large */
export async function unpack(packed: string): Promise<string> {
  const units = atob(packed.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(units, (unit) => unit.charCodeAt(0))
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length > UNPACKED_MAX) {
      await reader.cancel()
      throw new Error(`more than ${UNPACKED_MAX} characters`)
    }
  }
}
