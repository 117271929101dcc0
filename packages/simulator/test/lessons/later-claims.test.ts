import { lessons } from '../../src/lessons/index.ts'
import { tryClaims } from './try-claims.ts'

tryClaims(lessons.filter(({ number }) => number > 7))
