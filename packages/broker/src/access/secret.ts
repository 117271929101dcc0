/** RFC 7518 §3.2: a key for HS256 is at least as long as its hash. */
export const SECRET_BYTES_MIN = 32
