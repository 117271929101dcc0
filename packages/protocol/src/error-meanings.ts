import type { ErrorCode } from './errors.ts'

/** What each error code means, for people and their documents. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  bad_frame: 'The bytes are not a frame of this protocol.',
  bad_message: 'A message has an unknown type, or a field that is missing or of the wrong type.',
  too_large: 'A field, message, body or frame is past the limit named in the error.',
  unsupported_version: 'None of the offered protocol versions is spoken here.',
  unauthorized: 'The token is missing or not accepted.',
  token_expired: 'The token was accepted once and has expired: come back with a new one.',
  not_permitted: 'The token has no scope for this, or the session did not announce the role that this message needs.',
  hello_expected: 'The first message of a connection has to be hello.',
  hello_timeout: 'No hello arrived in time.',
  busy: 'A bound is reached: try again after retryAfterMs.',
  draining: 'The broker is leaving: reconnect after retryAfterMs.',
  read_only: 'The journal failed, so nothing new is accepted until an operator restarts the broker.',
  id_conflict: 'A task with this id exists with other content.',
  unknown_task: 'No task with this id is held: never submitted, or its record has expired.',
  task_finished: 'The task already has its outcome.',
  lease_lost: 'The lease is not held by this session any more: expired, cancelled or granted anew.',
  slow_reader: 'The connection did not read what it was sent and its buffer reached the hard cap.',
  session_replaced: 'Another connection resumed this session.',
  heartbeat_timeout: 'Nothing was heard from the peer for too long.',
  internal: 'The broker failed; its log says why.',
}
