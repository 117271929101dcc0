import type { WireError } from '@sluice/protocol'

/** Bytes of the frame with `hello`. A hello that resumes a session names up to 10,000 leases. */
export const HELLO_FRAME_BYTES_MAX = 128 * 1024

export const HELLO_TOO_LARGE: WireError = {
  code: 'too_large',
  message: `The frame with hello has at most ${HELLO_FRAME_BYTES_MAX} bytes: send more after welcome.`,
  field: 'frame',
  limit: HELLO_FRAME_BYTES_MAX,
}

export const GAVE_WAY = {
  code: 'busy',
  message:
    'Too many connections have sent nothing, and this one was the oldest: connect again, and send hello at once.',
} as const satisfies WireError
