/** RFC 7518 §3.2: a key for HS256 is no shorter than its hash. */
export const SECRET_BYTES_MIN = 32
