/**
 * What travels on the wire: messages, codec, error codes, limits.
 * @module @sluice/protocol
 */
export { Bodies } from './bodies.ts'
export { type Body, bodyToJson, isContentType, JSON_CONTENT_TYPE, jsonBody, jsonText } from './body.ts'
export * from './codec.ts'
export * from './errors.ts'
export { parseExact } from './exact-json.ts'
export { utf8Length } from './json-scan.ts'
export {
  LABEL_NAME_LENGTH_MAX,
  LABEL_VALUE_LENGTH_MAX,
  LABELS_BYTES_MAX,
  LABELS_MAX,
  type Labels,
  labelsFault,
} from './labels.ts'
export * from './limits.ts'
export * from './messages.ts'
export * from './task-id.ts'
