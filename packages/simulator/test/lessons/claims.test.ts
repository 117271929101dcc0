import { lessons } from '../../src/lessons/index.ts'
import { tryClaims } from './try-claims.ts'

// The others are tried in `later-claims.test.ts`, at the same time.
tryClaims(lessons.filter(({ number }) => number <= 7))
