import { EVENT_CODES } from './event-codec.ts'

/** "SLQ1": tells this file from any other SQLite database (`PRAGMA application_id`). */
export const APPLICATION_ID = 0x53_4c_51_31

/**
 * What turns version n of the file into version n + 1, from an empty file on. A step that was ever released stays as
 * it is. Each runs in one transaction with all others that an opening needs.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE batches(
    batch INTEGER PRIMARY KEY,
    events_crc32 INTEGER NOT NULL,
    bodies_crc32 INTEGER NOT NULL,
    events BLOB NOT NULL,
    bodies BLOB NOT NULL
  );
  `,
]

export const SCHEMA_VERSION = MIGRATIONS.length

function codeCases(): string {
  return Object.entries(EVENT_CODES)
    .map(([type, code]) => `WHEN '${code}' THEN '${type}'`)
    .join(' ')
}

const codes = (...types: (keyof typeof EVENT_CODES)[]) => types.map((type) => `'${EVENT_CODES[type]}'`).join()

/** Events whose second field is the task's id. */
const ofTasks = codes(
  'taskAccepted',
  'taskRestated',
  'taskWatched',
  'taskUnwatched',
  'taskReadied',
  'leaseGranted',
  'progressReported',
  'taskSucceeded',
  'attemptFailed',
  'leaseReleased',
  'taskDied',
  'taskCancelled',
  'taskRedriven',
  'taskForgotten',
)

/**
 * Views for people, made anew at each opening; the program never reads them.
 *
 * - `events(batch, position, type, task, fields)`: every stored event, `fields` as JSON.
 * - `tasks(task, queue, state, batch, position)`: each task that is still told of, its state as of its last change. A
 *   waiting task is `waiting` whether its delay is over or not.
 * - `tasks_by_state(state, queue, tasks)`: how many.
 */
export const VIEWS = `
  DROP VIEW IF EXISTS tasks_by_state;
  DROP VIEW IF EXISTS tasks;
  DROP VIEW IF EXISTS profiles;
  DROP VIEW IF EXISTS events;
  CREATE VIEW events AS
    SELECT
      batch,
      item.key AS position,
      CASE json_extract(item.value, '$[0]') ${codeCases()} END AS type,
      CASE WHEN json_extract(item.value, '$[0]') IN (${ofTasks}) THEN json_extract(item.value, '$[1]') END AS task,
      item.value AS fields
    FROM batches, json_each(CAST(batches.events AS TEXT), '$[1]') AS item
    WHERE item.type = 'array';
  CREATE VIEW profiles AS
    SELECT
      batch,
      item.key AS profile,
      json_extract(CAST(batches.events AS TEXT), '$[2][' || json_extract(item.value, '$[0]') || ']') AS queue
    FROM batches, json_each(CAST(batches.events AS TEXT), '$[4]') AS item;
  CREATE VIEW tasks AS
    WITH told AS MATERIALIZED (SELECT * FROM events),
    forgotten AS (
      SELECT task FROM told WHERE type = 'taskForgotten'
      UNION
      SELECT ids.value FROM told, json_each(told.fields, '$[1]') AS ids WHERE told.type = 'oldestForgotten'
    ),
    named AS (
      SELECT DISTINCT task, queue
      FROM told JOIN profiles ON profiles.batch = told.batch AND profiles.profile = json_extract(told.fields, '$[2]')
      WHERE type IN ('taskAccepted', 'taskRestated')
    ),
    changes AS (
      SELECT
        task,
        batch,
        position,
        CASE type
          WHEN 'leaseGranted' THEN 'leased'
          WHEN 'taskSucceeded' THEN 'succeeded'
          WHEN 'taskDied' THEN 'dead'
          WHEN 'taskCancelled' THEN 'cancelled'
          WHEN 'taskRestated' THEN replace(replace(json_extract(fields, '$[11][0]'), 'delayed', 'waiting'), 'ready', 'waiting')
          ELSE 'waiting'
        END AS state,
        row_number() OVER (PARTITION BY task ORDER BY batch DESC, position DESC) AS age
      FROM told
      WHERE task IS NOT NULL AND type NOT IN ('taskWatched', 'taskUnwatched', 'progressReported')
    )
    SELECT changes.task AS task, queue, state, batch, position
    FROM changes JOIN named ON named.task = changes.task
    WHERE age = 1 AND changes.task NOT IN (SELECT task FROM forgotten);
  CREATE VIEW tasks_by_state AS SELECT state, queue, count(*) AS tasks FROM tasks GROUP BY state, queue;
`
